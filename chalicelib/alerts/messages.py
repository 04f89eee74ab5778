"""What is told in one message. Pure: how it looks is the matter of the adapters.

The notices of one finding are one piece of news, that of the last of them: a finding may have come and gone before
anybody could be told. The news of one user and one run are one message; where a run has many of those for an account,
as a first sweep has, they are one summary.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from chalicelib.alerts.notice import Notice
from chalicelib.controls.mfa_not_enforced import ALONE
from chalicelib.controls.mfa_not_enforced import CONTROL as NOT_ENFORCED_CONTROL
from chalicelib.findings import Severity
from chalicelib.ledger import ChangeKind

MOST_MESSAGES = 5
"""Of one run on one account; more of them are a summary."""

NOT_ENFORCED = NOT_ENFORCED_CONTROL.id

_T = TypeVar("_T")


class News(StrEnum):
    """What has become of a finding since people heard of it last."""

    OPENED = "opened"
    REOPENED = "reopened"
    WORSENED = "worsened"
    CHANGED = "changed"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"
    PASSED = "passed"
    """It was opened, and resolved before anybody was told."""
    COVERED = "covered"
    """It is over in name alone: nothing asks the user for MFA any more, which a graver finding says for both."""
    UNCOVERED = "uncovered"
    """It is as it was before: the graver finding that spoke for it is resolved."""


_ALARMING = frozenset({News.OPENED, News.REOPENED, News.WORSENED})
_BY_KIND = {
    ChangeKind.OPENED: News.OPENED,
    ChangeKind.REOPENED: News.REOPENED,
    ChangeKind.RESOLVED: News.RESOLVED,
    ChangeKind.SUPPRESSED: News.SUPPRESSED,
}


@dataclass(frozen=True, slots=True)
class Item:
    """What has become of one finding: its notices, the oldest first."""

    news: News
    notices: tuple[Notice, ...]

    @property
    def last(self) -> Notice:
        """The notice that says how the finding stands."""
        return self.notices[-1]

    @property
    def severity(self) -> Severity:
        """How bad the finding is, or was."""
        return self.last.severity

    @property
    def alarming(self) -> bool:
        """Whether somebody has to do something."""
        return self.news in _ALARMING

    @property
    def order(self) -> tuple[bool, int, str, str, str, str]:
        """Sorts what is alarming first, then the gravest."""
        last = self.last
        return not self.alarming, -self.severity.rank, last.account, last.user or "", last.control, last.fingerprint


class Form(StrEnum):
    """How much a message tells of each finding."""

    FULL = "full"
    """Of one user, or of the account itself, in one run: all of it."""
    SUMMARY = "summary"
    """Of one run on one account: how many there are, and the gravest."""
    DIGEST = "digest"
    """Of whatever waited: likewise."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told at once; the gravest stands first. It has one item at least."""

    form: Form
    items: tuple[Item, ...]

    @property
    def notices(self) -> tuple[Notice, ...]:
        """All that is told with it."""
        return tuple(notice for item in self.items for notice in item.notices)

    @property
    def first(self) -> Item:
        """The gravest."""
        return self.items[0]

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts whose findings they are, sorted."""
        return tuple(sorted({item.last.account for item in self.items}))

    @property
    def alarming(self) -> bool:
        """Whether somebody has to do something about any of it."""
        return self.first.alarming

    @property
    def severity(self) -> Severity:
        """The gravest of what is alarming; of what is over, if nothing is."""
        return self.first.severity

    def counts(self) -> Mapping[tuple[News, Severity, str], int]:
        """How many findings there are of each news, severity and control, in the order of the items."""
        found: dict[tuple[News, Severity, str], int] = {}
        for item in self.items:
            key = item.news, item.severity, item.last.control
            found[key] = found.get(key, 0) + 1
        return found


def messages_of(notices: Sequence[Notice], *, digest: bool = False) -> list[Message]:
    """The messages that tell these notices, the gravest first; with `digest` one for all of them."""
    items = sorted(_items(notices), key=lambda item: item.order)
    if digest:
        return [Message(Form.DIGEST, tuple(items))] if items else []
    messages = [message for one in _groups(items, _account_and_run) for message in _of_run(one)]
    return sorted(messages, key=lambda message: message.first.order)


def _of_run(items: Sequence[Item]) -> Sequence[Message]:
    """The messages of one run on one account."""
    items = sorted(_with_covers(items), key=lambda item: item.order)
    users = list(_groups(items, lambda item: item.last.user))
    if len(users) > MOST_MESSAGES:
        return [Message(Form.SUMMARY, tuple(items))]
    if all(item.last.cause for item in items):
        # One event that concerns several people is one matter.
        return [Message(Form.FULL, tuple(items))]
    return [Message(Form.FULL, tuple(one)) for one in users]


def _with_covers(items: Sequence[Item]) -> Iterator[Item]:
    """The items; those of what one that is beside them says alone, or said until now, as such."""
    said = {item.last.user: item for item in items if item.last.control == NOT_ENFORCED}
    for item in items:
        beside = said.get(item.last.user) if item.last.control in ALONE else None
        if beside and beside.alarming and item.news in (News.RESOLVED, News.PASSED):
            yield replace(item, news=News.COVERED)
        elif beside and beside.news is News.RESOLVED and item.news is News.REOPENED:
            yield replace(item, news=News.UNCOVERED)
        else:
            yield item


def _account_and_run(item: Item) -> tuple[str, str]:
    return item.last.account, item.last.run


def _items(notices: Iterable[Notice]) -> Iterator[Item]:
    for some in _groups(notices, lambda notice: (notice.account, notice.fingerprint)):
        found = tuple(sorted(some, key=lambda notice: notice.version))
        yield Item(_news(found), found)


def _news(notices: Sequence[Notice]) -> News:
    """What the notices of one finding come to, the oldest first."""
    kinds = {notice.kind for notice in notices}
    first, last = notices[0].kind, notices[-1].kind
    if last in (ChangeKind.RESOLVED, ChangeKind.SUPPRESSED):
        opened = first in (ChangeKind.OPENED, ChangeKind.REOPENED)
        return News.PASSED if opened and last is ChangeKind.RESOLVED else _BY_KIND[last]
    for kind in (ChangeKind.OPENED, ChangeKind.REOPENED):
        if kind in kinds:
            return _BY_KIND[kind]
    return News.WORSENED if any(map(_worse, notices)) else News.CHANGED


def _worse(notice: Notice) -> bool:
    before = notice.severity_before
    return before is not None and notice.severity.rank > before.rank


def _groups(values: Iterable[_T], key: Callable[[_T], Hashable]) -> Iterator[Sequence[_T]]:
    """The values of each key, in the order in which the keys come up."""
    found: dict[Hashable, list[_T]] = {}
    for value in values:
        found.setdefault(key(value), []).append(value)
    return iter(found.values())
