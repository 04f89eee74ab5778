"""Whether an answer that Git is stopped at KMS hangs on keys of repositories that were not read.

It does not where no key at all passes, the account's or another's, whatever its own policy says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from chalicelib.analysis.arns import lies_in, meet
from chalicelib.analysis.git_hops import KeyHop, Operation, key_hop
from chalicelib.analysis.keys import Unread, any_key_policy, unread
from chalicelib.analysis.names import NOTHING
from chalicelib.analysis.origins import GIT_SERVICE
from chalicelib.analysis.shared import UserSurface
from chalicelib.analysis.surface import Entry, Surface
from chalicelib.iam.patterns import ARN_SEGMENTS, has_wildcard
from chalicelib.iam.policy_set import managed_key_policy

UNREAD = "not read which key every repository is encrypted with"
_ANOTHER = "999988887777"
"""An account that is not the caller's; its number is told apart from no other that policies do not name."""


def why_unread(surface: UserSurface, operation: Operation, entry: Entry) -> str:
    """What was not read of the repositories of an entry and may let Git pass, in words; empty where nothing may."""
    partition = entry.request.principal.partition
    missing: Unread = surface.shared("unread keys", lambda shared: unread(shared.caller.snapshot, partition))
    for repository in _repositories(entry, missing):
        region = repository.split(":")[3]
        ask = partial(_any_key_passes, operation=operation, region=region)
        if surface.shared(("any key of Git", operation, region), ask) and at_codecommit(surface, entry, repository):
            return UNREAD
    return ""


def _repositories(entry: Entry, missing: Unread) -> Iterator[str]:
    """Repositories of the entry whose keys were not read: those that are there, and one for each region."""
    yield from sorted(missing.repositories)
    head, rest = entry.request.resource.split(":", 3)[:3], entry.request.resource.split(":", 4)[4]
    for region in sorted(missing.regions):
        yield ":".join((*head, region, rest))


def at_codecommit(surface: UserSurface, entry: Entry, repository: str) -> Entry | None:
    """The entry decided for one repository; None where that lies outside its patterns, or CodeCommit stops it."""
    if not all(lies_in(repository, pattern) for pattern in entry.target.patterns):
        return None
    found = surface.own.at(entry.request.name, repository, entry.origin)
    return replace(found, target=replace(entry.target, resource=repository)) if isinstance(found, Entry) else None


def _any_key_passes(surface: Surface, operation: Operation, region: str) -> bool:
    """Whether a key of the region may let Git pass, whosever it is."""
    hops = (key_hop(surface, operation, key, policy=any_key_policy()) for key in _any_key(surface, region))
    return any(hop.passes or hop.untried for hop in hops)


def named_keys(surface: Surface, operation: Operation, region: str) -> KeyHop | str:
    """What KMS answers with the first key that the policies name and that passes; else why not all was tried."""
    policy = managed_key_policy(GIT_SERVICE, region, surface.caller.user.principal.account)
    untried = ""
    for key in _named(surface, region):
        hop = key_hop(surface, operation, key, policy=policy)
        if hop.passes:
            return hop
        untried = untried or hop.untried
    return untried


def _any_key(surface: Surface, region: str) -> Iterator[str]:
    """Keys of a region that stand for all: those that the policies name, and of each account one that they do not."""
    yield from _named(surface, region)
    partition = surface.caller.user.principal.partition
    for account in dict.fromkeys((*_accounts(surface), _ANOTHER)):
        yield f"arn:{partition}:kms:{region}:{account}:key/{NOTHING}"


def _named(surface: Surface, region: str) -> tuple[str, ...]:
    """The keys of a region that the policies name, whosever they are."""
    partition = surface.caller.user.principal.partition
    own = surface.caller.user.principal.account
    found: dict[str, None] = {}
    for pattern in surface.patterns("kms:Decrypt"):
        account = pattern.split(":", ARN_SEGMENTS - 1)[4]
        for owner in dict.fromkeys((own, *_account_like(account))):
            key = meet((f"arn:{partition}:kms:{region}:{owner}:key/?*", pattern))
            found |= {key: None} if key else {}
    return tuple(found)


def _accounts(surface: Surface) -> Iterator[str]:
    """The caller's account, and those that conditions on the key's account name."""
    yield surface.caller.user.principal.account
    for statement in surface.in_play("kms:Decrypt"):
        for condition in statement.conditions:
            for value in condition.values if condition.key == "aws:resourceaccount" else ():
                yield from _account_like(value)


def _account_like(pattern: str) -> Iterator[str]:
    """An account that a pattern names, at least by some of its digits."""
    if not has_wildcard(pattern):
        yield from (pattern,) if re.fullmatch(r"[0-9]{12}", pattern) else ()
    elif re.fullmatch(r"[0-9?*]*[0-9][0-9?*]*", pattern):
        digits = pattern.replace("?", "0")
        missing = max(0, 12 - len(digits.replace("*", "")))
        yield digits.replace("*", "0" * missing, 1).replace("*", "")
