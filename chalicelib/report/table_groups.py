"""The findings of an audit by whom they are about, the gravest first; who has the same ones stands together. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from chalicelib.findings import Finding, Severity
from chalicelib.report.proof import deciders
from chalicelib.report.sentences import request, sentence, subject, words

Detail = tuple[str, str]
"""What of a finding is told, and the text."""


@dataclass(frozen=True)
class Told:
    """A finding in words."""

    finding: Finding

    @cached_property
    def name(self) -> str:
        """The control; of a finding about no user also what it is about."""
        return self.finding.control if self.finding.user else f"{self.finding.control}: {subject(self.finding)}"

    @cached_property
    def sentence(self) -> str:
        """What the matter is."""
        return sentence(self.finding)

    @cached_property
    def details(self) -> tuple[Detail, ...]:
        """What proves it: the request, as far as the sentence does not tell it, and the statements that decided."""
        return tuple(self._details())

    def _details(self) -> Iterator[Detail]:
        witness, evidence = self.finding.witness, self.finding.evidence
        if witness and request(witness) not in self.sentence:
            way = words(evidence.get("way")) or f"aws:MultiFactorAuthPresent {witness.mfa}"
            yield "request", f"{request(witness)} with {way}"
        by_verb: dict[str, list[str]] = {}
        for verb, policy, name in deciders(self.finding):
            by_verb.setdefault(f"{verb.lower()} by", []).append(f"{policy}, {name}")
        yield from ((verb, "; ".join(found)) for verb, found in by_verb.items())
        if evidence.get("guard"):
            yield "spared by", words(evidence.get("counterfactual"))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All of it, but for the fix."""
        return (self.name, self.sentence, *(text for _, text in self.details))


@dataclass(frozen=True, slots=True)
class Group:
    """The findings about one user, or (None) about the account itself, the gravest first."""

    user: str | None
    told: tuple[Told, ...]
    others: tuple[str, ...] = ()
    """The users who have the same findings by the same policies, but for the name."""

    @property
    def findings(self) -> int:
        """How many findings it tells of."""
        return len(self.told) * (1 + len(self.others))

    @property
    def order(self) -> tuple[bool, list[int], str]:
        """Sorts the account first, then who has more of the gravest findings."""
        return self.user is not None, [-count for count in self.counts().values()], self.user or ""

    def counts(self) -> dict[Severity, int]:
        """How many findings of each severity, the gravest first."""
        return counts_of(one.finding for one in self.told)


def counts_of(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many there are of each severity, the gravest first."""
    found = Counter(finding.severity for finding in findings)
    return {severity: found[severity] for severity in reversed(Severity)}


def groups_of(findings: Iterable[Finding], *, fold: bool = True) -> list[Group]:
    """The findings by whom they are about; with `fold` those who have the same are told once."""
    by_user: dict[str | None, list[Told]] = {}
    for finding in sorted(findings, key=lambda one: one.order):
        by_user.setdefault(finding.user, []).append(Told(finding))
    groups = sorted((Group(user, tuple(told)) for user, told in by_user.items()), key=lambda group: group.order)
    return list(_folded(groups)) if fold else groups


def _folded(groups: Sequence[Group]) -> Iterator[Group]:
    alike: dict[object, list[Group]] = {}
    for group in groups:
        alike.setdefault(_likeness(group), []).append(group)
    for first, *rest in alike.values():
        yield Group(first.user, first.told, tuple(str(group.user) for group in rest))


def _likeness(group: Group) -> object:
    """What is the same in groups that are told once: all but the user's own name, where it stands as a name."""
    if group.user is None:
        return None
    # An example of what lies in `user/NAME*` is the name with more behind it.
    own = re.compile(rf"(?:(?<=/)|(?<=user )){re.escape(group.user)}(?=[^\w+=.@-]|mfawatch-example|$)")
    return tuple(
        (
            one.finding.severity,
            *(label for label, _ in one.details),
            *(tuple(own.split(text)) for text in one.texts),
        )
        for one in group.told
    )
