"""Git operations of one principal on one repository with one credential, counted: what the ledger keeps of them. Pure.

Whatever the order in which operations are counted, and however they were counted apart, the result is the same. An
operation is counted as often as it is told: whoever counts leaves out those of an identity that was counted before.

Of a push that sends something CloudTrail keeps two records, of which the first says that nothing was sent. So pushes
are counted by the records that say that something was, and what is left of the others are pushes that sent nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.analysis.git_hops import Operation
from chalicelib.events.git_operation import WITHOUT_MFA, CredentialUsed, GitOperation

MOST_SEEN = 5
"""Texts of a kind that are kept: those seen last."""
_LISTS = ("references", "addresses", "agents", "protocols")
_COUNTS = ("pulls", "pulls_with_data", "pushes", "pushes_without_data", "refused")
_FIRSTS, _LASTS = ("first",), ("last_pull", "last_push")


@dataclass(frozen=True, slots=True)
class Seen:
    """A text that operations told, and when last; None where they do not say when."""

    text: str
    at: datetime | None

    @property
    def order(self) -> tuple[float, str]:
        """Sorts what was seen last at the end."""
        return self.at.timestamp() if self.at else float("-inf"), self.text


@dataclass(frozen=True, slots=True)
class GitActivity:
    """What one principal did to one repository with one credential. Refused operations are counted, and no more.

    `pulls_with_data` are those of the pulls that brought anything; `pushes` are the records of pushes that sent
    something, `pushes_without_data` those that say nothing of the kind. Moments are None where nothing was done, or no
    record says when.
    """

    account: str
    principal: str
    repository: str
    credential: CredentialUsed
    user: str | None = None
    pulls: int = 0
    pulls_with_data: int = 0
    pushes: int = 0
    pushes_without_data: int = 0
    refused: int = 0
    first: datetime | None = None
    last_pull: datetime | None = None
    last_push: datetime | None = None
    references: tuple[Seen, ...] = ()
    addresses: tuple[Seen, ...] = ()
    agents: tuple[Seen, ...] = ()
    protocols: tuple[Seen, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """32 hexadecimal digits that name the activity, whatever is counted."""
        parts = json.dumps([self.account, self.principal, self.repository, str(self.credential)])
        return hashlib.sha256(parts.encode()).hexdigest()[:32]

    @property
    def last(self) -> datetime | None:
        """When the last operation was that passed."""
        return _latest(self.last_pull, self.last_push)

    @property
    def idle_pushes(self) -> int:
        """Pushes that passed and sent nothing."""
        return max(0, self.pushes_without_data - self.pushes)

    @property
    def without_mfa(self) -> bool:
        """Whether no MFA stood behind it, as far as the records tell."""
        return self.credential in WITHOUT_MFA or self.credential is CredentialUsed.UNKNOWN

    def has(self, operation: Operation) -> bool:
        """Whether some of it was that operation, and passed."""
        return bool(self.pulls if operation is Operation.PULL else self.pushes + self.pushes_without_data)

    def last_of(self, operation: Operation) -> datetime | None:
        """When it was that operation last, and passed."""
        return self.last_pull if operation is Operation.PULL else self.last_push

    def with_operation(self, operation: GitOperation) -> GitActivity:
        """The activity with one more of its operations counted.

        Raises:
            ValueError: the operation is of another activity.
        """
        return self.merged(activity_of(operation))

    def merged(self, other: GitActivity) -> GitActivity:
        """What two parts of one activity, counted apart, come to.

        Raises:
            ValueError: they are parts of two.
        """
        if self.id != other.id:
            raise ValueError(f"{other.id} is another activity than {self.id}")
        found: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        found |= {name: _earliest(getattr(self, name), getattr(other, name)) for name in _FIRSTS}
        found |= {name: _latest(getattr(self, name), getattr(other, name)) for name in _LASTS}
        found |= {name: _last_seen((*getattr(self, name), *getattr(other, name))) for name in _LISTS}
        return GitActivity(
            account=self.account,
            principal=self.principal,
            repository=self.repository,
            credential=self.credential,
            user=max(self.user or "", other.user or "") or None,
            doubts=_some({*self.doubts, *other.doubts}),
            **found,
        )

    def to_json(self) -> dict[str, Any]:
        """The activity as JSON values, of a size that has a bound."""
        return {
            "account": self.account,
            "principal": self.principal,
            "repository": self.repository,
            "credential": str(self.credential),
            "user": self.user,
            **{name: getattr(self, name) for name in _COUNTS},
            **{name: _written(getattr(self, name)) for name in (*_FIRSTS, *_LASTS)},
            **{name: [[one.text, _written(one.at)] for one in getattr(self, name)] for name in _LISTS},
            "doubts": list(self.doubts),
        }


def parse_git_activity(value: Mapping[str, Any]) -> GitActivity:
    """The activity by its JSON values, as `GitActivity.to_json` gives them."""
    found = dict(value)
    found |= {name: int(value[name]) for name in _COUNTS}
    found |= {name: _moment(value[name]) for name in (*_FIRSTS, *_LASTS)}
    found |= {name: tuple(Seen(text, _moment(at)) for text, at in value[name]) for name in _LISTS}
    found |= {"credential": CredentialUsed(value["credential"]), "doubts": tuple(value["doubts"])}
    return GitActivity(**found)


AGAIN = timedelta(hours=24)
"""After a pause of so long an operation is as good as a first one: what was found of it may be resolved by now."""


def is_news(before: GitActivity | None, after: GitActivity) -> bool:
    """Whether somebody should look at an activity once more has been counted: it is new, graver, or there again."""
    if before is None or after.has(Operation.PUSH) > before.has(Operation.PUSH):
        return True
    if before.last is None or after.last is None:
        return before.last is not after.last
    return after.last - before.last >= AGAIN


def activity_of(operation: GitOperation) -> GitActivity:
    """The activity that one operation is."""
    passed = not operation.refused
    pulled = passed and operation.operation is Operation.PULL
    pushed = passed and operation.operation is Operation.PUSH
    at = operation.at
    return GitActivity(
        account=operation.account,
        principal=operation.principal,
        repository=operation.repository,
        credential=operation.credential,
        user=operation.user,
        pulls=int(pulled),
        pulls_with_data=int(pulled and operation.transferred is True),
        pushes=int(pushed and operation.transferred is True),
        pushes_without_data=int(pushed and operation.transferred is not True),
        refused=int(operation.refused),
        first=at if passed else None,
        last_pull=at if pulled else None,
        last_push=at if pushed else None,
        references=_last_seen(_seen(operation.references, at)) if passed else (),
        addresses=_last_seen(_seen([operation.address], at)) if passed else (),
        agents=_last_seen(_seen([operation.agent], at)) if passed else (),
        protocols=_last_seen(_seen([operation.protocol], at)) if passed else (),
        doubts=_some(operation.doubts) if passed else (),
    )


def _seen(texts: Iterable[str], at: datetime | None) -> Iterator[Seen]:
    return (Seen(text, at) for text in texts if text)


def _last_seen(seen: Iterable[Seen]) -> tuple[Seen, ...]:
    """The texts that were seen last, each once: what is left out here no other part brings back unless it saw it."""
    latest: dict[str, Seen] = {}
    for one in seen:
        latest[one.text] = max(one, latest.get(one.text, one), key=lambda found: found.order)
    return tuple(sorted(latest.values(), key=lambda one: one.order)[-MOST_SEEN:])


def _some(doubts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(doubts))[:MOST_SEEN])


def _earliest(*moments: datetime | None) -> datetime | None:
    return min(_known(moments), default=None)


def _latest(*moments: datetime | None) -> datetime | None:
    return max(_known(moments), default=None)


def _known(moments: Sequence[datetime | None]) -> Iterator[datetime]:
    return (moment for moment in moments if moment is not None)


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
