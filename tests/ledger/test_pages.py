"""Findings page by page: what each store promises, what a cursor is good for, one account after the other."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws import finding_pages
from chalicelib.aws.finding_store import DynamoFindingStore
from chalicelib.aws.observations import DynamoObservations
from chalicelib.diff import diff
from chalicelib.findings import Severity, Status
from chalicelib.ledger import Stored, suppress
from chalicelib.listing import MOST_ACCOUNTS, page_of
from chalicelib.local.finding_store import SqliteFindingStore
from chalicelib.paging import ANY, LONGEST, CursorError, FindingPage, Wanted, account_of, cursor_of, place_of
from chalicelib.ports import FindingPages, FindingStore
from tests.accounts.build import ACCOUNT, TAKEN
from tests.events.git_records import operation, push
from tests.ledger.build import BROKEN, ENFORCED, ROOT, TAKEOVER, at, audit, finding
from tests.ledger.conftest import Ticking
from tests.ledger.emulator import TABLE, dynamodb

OTHER = "999999999999"
USERS = ["a", "a+", "alice", "Bob", None]
MANY = [
    *(
        finding(BROKEN, user, severity, distinction=str(severity))
        for user, severity in product(USERS, [Severity.LOW, Severity.HIGH])
    ),
    *(
        finding(control, user, evidence={"text": '"status":"resolved","severity":"low"'})
        for control, user in product((ENFORCED, TAKEOVER), USERS)
    ),
    finding(account=OTHER),
]


class Store(FindingStore, FindingPages, Protocol):
    """A store that shows pages."""


@pytest.fixture(scope="module", params=["dynamodb", "sqlite"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of many findings: open, accepted, resolved, of two accounts, with what was observed between them."""
    clock = Ticking()
    if request.param == "sqlite":
        with SqliteFindingStore(tmp_path_factory.mktemp("pages") / "ledger.db", clock=clock) as store:
            _fill(store)
            yield store
    else:
        with dynamodb() as client:
            _fill(DynamoFindingStore(client, TABLE, clock=clock))
            DynamoObservations(client, TABLE, clock).count(operation(push()[0]))
            yield DynamoFindingStore(client, TABLE, clock=clock)


def _fill(store: Store) -> None:
    users = [user for user in USERS if user]
    mine = [one for one in MANY if one.account == ACCOUNT]
    store.apply(diff(audit(*mine, users=users), [], "one", TAKEN))
    store.apply(diff(audit(*MANY[-1:], account=OTHER), [], "one", TAKEN))
    gone = audit(*(one for one in mine if one.control != TAKEOVER), users=users, hours=1)
    store.apply([one for one in diff(gone, store.load(ACCOUNT), "two", at(1)) if one.is_news])
    accepted = [one for one in store.load(ACCOUNT, ["alice"]) if one.status is Status.OPEN][:3]
    store.apply([suppress(one, TAKEN.date(), 'for "status":"open"', "carla", at(2)) for one in accepted])


def walk(store: FindingPages, most: int, wanted: Wanted = ANY, account: str = ACCOUNT) -> list[FindingPage]:
    """All pages of an account."""
    found = [store.page(account, None, most, wanted)]
    while found[-1].next is not None:
        found.append(store.page(account, found[-1].next, most, wanted))
    return found


def names(found: Sequence[Stored]) -> list[str]:
    return [one.fingerprint for one in found]


def joined(found: Sequence[FindingPage]) -> list[str]:
    return [one.fingerprint for page in found for one in page.findings]


def optional(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, *values])


anything = st.builds(
    Wanted,
    status=optional(*Status),
    control=optional(BROKEN, ENFORCED, TAKEOVER, ROOT, 'x"', ""),
    severity=optional(*Severity),
    user=optional("a", "ab", "alice", "Bob", "nobody", "", "#", "a#", "x" * 2000, "\ud800"),
)


@given(wanted=anything, most=st.integers(7, 30))
@settings(max_examples=12, deadline=None)
def test_the_pages_joined_are_all_that_is_wanted_each_once(full: Store, wanted: Wanted, most: int) -> None:
    found = walk(full, most, wanted)
    assert sorted(joined(found)) == sorted(names([one for one in full.load(ACCOUNT) if wanted.matches(one)]))
    assert all(len(page.findings) <= most for page in found)
    assert all(page.findings for page in found[:1] if len(found) > 1)


def test_pages_are_full_where_nothing_is_left_out(full: Store) -> None:
    count = len(full.load(ACCOUNT))
    assert [len(page.findings) for page in walk(full, count // 2)] == [count // 2, count // 2] + [1] * (count % 2)
    assert len(walk(full, count)) == 1


def test_a_page_tells_findings_as_they_were_loaded(full: Store) -> None:
    of_alice = {one.fingerprint: one for one in full.load(ACCOUNT, ["alice"])}
    assert {one.fingerprint: one for one in full.page(ACCOUNT, None, 100, Wanted(user="alice")).findings} == of_alice


def test_a_finding_keeps_its_place_whatever_becomes_of_others(store: Store) -> None:
    first = [finding(BROKEN, f"user-{number}") for number in range(0, 40, 2)]
    later = [finding(BROKEN, f"user-{number}") for number in range(1, 40, 2)]
    users = [f"user-{number}" for number in range(40)]
    store.apply(diff(audit(*first, users=users), [], "one", TAKEN))
    page = store.page(ACCOUNT, None, 7)
    seen = names(page.findings)
    store.apply(diff(audit(*first[::2], *later, users=users, hours=1), store.load(ACCOUNT), "two", at(1)))
    while page.next is not None:
        page = store.page(ACCOUNT, page.next, 7)
        seen += names(page.findings)
    assert {one.fingerprint for one in first} <= set(seen)
    assert len(seen) == len(set(seen))


# --- what a page costs in DynamoDB -----------------------------------------------------------------------------------


@dataclass
class Counted:
    """A DynamoDB of which is known what it was asked for."""

    client: Any
    limits: list[int] = field(default_factory=list)

    def query(self, **asked: Any) -> Any:
        self.limits.append(asked["Limit"])
        return self.client.query(**asked)


def test_what_is_rare_is_sought_some_way_at_a_time(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding_pages, "AT_ONCE", 10)
    monkeypatch.setattr(finding_pages, "MOST_READ", 30)
    counted = Counted(client)
    store = DynamoFindingStore(counted, TABLE)
    rare = finding(BROKEN, "user-55", Severity.LOW)
    users = [f"user-{number:02}" for number in range(60)]
    common = [finding(user=user) for user in users]
    DynamoFindingStore(client, TABLE).apply(diff(audit(*common, rare, users=users), [], "one", TAKEN))
    found = walk(store, 5, Wanted(severity=Severity.LOW))
    assert [names(page.findings) for page in found] == [[], [rare.fingerprint], []][: len(found)]
    assert counted.limits == [10] * 7
    counted.limits.clear()
    assert len(store.page(ACCOUNT, None, 5).findings) == 5
    assert counted.limits == [6]


# --- cursors ---------------------------------------------------------------------------------------------------------


def test_a_cursor_is_good_for_its_account_and_for_what_was_wanted(full: Store) -> None:
    wanted = Wanted(status=Status.OPEN, user="Bob")
    cursor = full.page(ACCOUNT, None, 1, wanted).next
    assert cursor is not None
    for account, other in (
        (OTHER, wanted),
        (ACCOUNT, ANY),
        (ACCOUNT, Wanted(status=Status.OPEN)),
        (ACCOUNT, Wanted(status=Status.OPEN, user="a")),
    ):
        with pytest.raises(CursorError):
            full.page(account, cursor, 1, other)


def test_a_counterfeit_leads_to_nothing_beyond_the_account_and_what_is_wanted(full: Store) -> None:
    allowed = set(names(full.load(ACCOUNT)))
    for place in ("", "F#", "F#a", "F#\U0010ffff", "E#", "H#", "R#", "#outbox", "f", "\ud800", "x" * 1024, "x" * 1025):
        for wanted in (ANY, Wanted(user="alice"), Wanted(status=Status.OPEN)):
            try:
                page = full.page(ACCOUNT, _forged(ACCOUNT, wanted, place), 100, wanted)
            except CursorError:
                continue
            assert set(names(page.findings)) <= allowed
            assert all(wanted.matches(one) for one in page.findings)


def _forged(account: str, wanted: Wanted, place: str) -> str:
    """The cursor of somebody who read how they are made."""
    _, _, digest = json.loads(_opened(cursor_of(account, wanted, "")))
    try:
        return cursor_of(account, wanted, place)
    except UnicodeEncodeError:
        return base64.urlsafe_b64encode(json.dumps([account, place, digest]).encode()).decode()


def _opened(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


@given(
    st.one_of(
        st.text(),
        st.from_regex(r"[A-Za-z0-9_=-]{1,60}", fullmatch=True),
        st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5).map(
            lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
        ),
        st.just("W" * (LONGEST + 1)),
        st.just(base64.urlsafe_b64encode(b"[" * 1400).decode()),
    )
)
@settings(max_examples=120)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorError):
        place_of(text, ACCOUNT, ANY)


@given(st.integers(0), st.sampled_from("AQgw-_"))
def test_a_cursor_that_was_altered_is_refused_or_says_the_same(position: int, letter: str) -> None:
    cursor = cursor_of(ACCOUNT, ANY, "F#alice#0123456789abcdef")
    place = position % len(cursor)
    altered = cursor[:place] + letter + cursor[place + 1 :]
    try:
        assert place_of(altered, ACCOUNT, ANY) == "F#alice#0123456789abcdef"
    except CursorError:
        assert altered != cursor


# --- several accounts ------------------------------------------------------------------------------------------------


def walk_all(store: FindingPages, accounts: Sequence[str], most: int, wanted: Wanted = ANY) -> list[FindingPage]:
    found = [page_of(store, accounts, None, most, wanted)]
    while found[-1].next is not None:
        found.append(page_of(store, accounts, found[-1].next, most, wanted))
    return found


@pytest.mark.parametrize("most", [1, 2, 10, 1000])
def test_accounts_come_one_after_the_other(full: Store, most: int) -> None:
    accounts = [OTHER, "000000000000", ACCOUNT]
    found = [one for page in walk_all(full, accounts, most) for one in page.findings]
    assert sorted(names(found)) == sorted(names([*full.load(ACCOUNT), *full.load(OTHER)]))
    assert [one.account for one in found] == sorted(one.account for one in found)


def test_a_cursor_of_an_account_that_cannot_be_seen_is_refused(full: Store) -> None:
    cursor = page_of(full, [ACCOUNT, OTHER], None, 1).next
    assert cursor is not None
    assert account_of(cursor) == ACCOUNT
    with pytest.raises(CursorError):
        page_of(full, [OTHER], cursor, 1)


def test_many_accounts_are_gone_through_some_at_a_time(full: Store) -> None:
    accounts = [f"{number:012}" for number in range(MOST_ACCOUNTS * 2)]
    found = walk_all(full, [*accounts, ACCOUNT, OTHER], 1000)
    assert [bool(page.findings) for page in found] == [False, False, True]


def test_nobody_who_may_see_no_account_sees_any(full: Store) -> None:
    assert page_of(full, [], None, 10) == FindingPage([])
