"""Whether one way of making requests suits both hops of Git.

What CodeCommit asks of KMS comes from where the user's own request came from: an address or a network that one hop
needs and the other denies opens nothing. What says what the key or the repository is like is each hop's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from chalicelib.analysis.contexts import contexts
from chalicelib.analysis.decide import region_of
from chalicelib.analysis.git_hops import Access, Operation, key_hop
from chalicelib.analysis.origins import GIT_SERVICE, Origin
from chalicelib.analysis.surface import Entry, Surface
from chalicelib.iam.policy_set import Policy
from chalicelib.iam.request import MFA_KEYS, MfaState
from chalicelib.iam.statement import Effect

_OF_ONE_HOP = (
    "kms:", "codecommit:", "aws:resource", "aws:requesttag/", "aws:tagkeys", "aws:calledvia", "aws:viaawsservice",
    "aws:requestedregion", *MFA_KEYS,
)  # fmt: skip
"""How the keys begin that each hop has its own values of."""


def agreed(surface: Surface, access: Access, policy: Policy | None) -> Access:
    """The access with values that suit all of its requests; with a supposition where none was found that do.

    `surface` is the user's own, `policy` that which the key was taken to have.
    """
    needed = [(key, value) for entry in access.passed for key, value in entry.needs.items() if _is_of_all(key)]
    if not access.works or not needed:
        return access
    joint = dict(needed)
    surfaces = [surface, *[surface.on(policy)] * len(access.keys)]
    if all(joint[key] == value for key, value in needed) and _suits(surfaces, access.passed, joint):
        return access
    found = _search(surfaces, access)
    if found is not None:
        return found
    told = ", ".join(sorted(joint))
    return replace(
        access, suppositions=(*access.suppositions, f"CodeCommit and KMS see requests that differ in {told}")
    )


def _is_of_all(key: str) -> bool:
    return not key.startswith(_OF_ONE_HOP)


def _suits(surfaces: Sequence[Surface], entries: Sequence[Entry], joint: Mapping[str, str]) -> bool:
    """Whether each of the entries stays what it is with the values of all."""
    again = [one.with_values(entry, joint) for one, entry in zip(surfaces, entries, strict=True)]
    return all(found and found.certain >= entry.certain for found, entry in zip(again, entries, strict=True))


def _search(surfaces: Sequence[Surface], access: Access) -> Access | None:
    """The access by the first choice of values, of those that the statements about all hops tell apart, that passes."""
    asked = access.passed
    statements = list(chain.from_iterable(s.in_play(e.request.name) for s, e in zip(surfaces, asked, strict=True)))
    conditions = [c for s in statements for c in s.conditions if _is_of_all(c.key)]
    wanted = [[c for c in s.conditions if _is_of_all(c.key)] for s in statements if s.effect is Effect.ALLOW]
    evaded = [c for s in statements if s.effect is Effect.DENY for c in s.conditions if _is_of_all(c.key)]
    caller = surfaces[0].caller
    region = region_of(asked[0].request.resource)
    for values in contexts(conditions, caller.base, caller.own, (region,), {}, wanted, evaded=evaded)[0]:
        answers: list[Entry] = []
        for surface, entry in zip(surfaces, asked, strict=True):
            answer = surface.at(entry.request.name, entry.request.resource, entry.origin, values)
            if not isinstance(answer, Entry) or answer.certain < entry.certain:
                break
            answers.append(replace(answer, target=entry.target))
        else:
            return replace(access, repository=answers[0], keys=tuple(answers[1:]))
    return None


def access_of(
    surface: Surface, operation: Operation, repository: str, origin: Origin, key: str, policy: Policy | None = None
) -> Access:
    """Both hops for one repository and the key it is encrypted with; `policy` is the key's, where it is known.

    What CodeCommit does on the user's behalf carries the MFA state of the session; a long-term credential's turns from
    absent to "false".
    """
    mfa = MfaState.TRUE if origin.mfa is MfaState.TRUE else MfaState.FALSE
    hop = key_hop(surface, operation, key, Origin(mfa, GIT_SERVICE), policy)
    answer = surface.at(operation.action, repository, origin)
    untried = "" if isinstance(answer, Entry) else surface.untried
    return agreed(surface, Access(operation, answer, hop.answers, untried=untried or hop.untried), policy)
