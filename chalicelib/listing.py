"""Findings of several accounts, page by page, one account after the other. Over ports."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.ledger import Stored
from chalicelib.paging import ANY, CursorError, FindingPage, Wanted, account_of, cursor_of
from chalicelib.ports import FindingPages

MOST_ACCOUNTS = 20
"""Accounts that are gone through for one page: each takes a call, and many have nothing that is wanted."""


def page_of(
    store: FindingPages, accounts: Collection[str], after: str | None, most: int, wanted: Wanted = ANY
) -> FindingPage:
    """Up to `most` findings of these accounts, which are all that whoever asks may see; see `FindingPages`.

    A cursor is good for as long as its account is among them.

    Raises:
        CursorError: `after` is no cursor, or one for an account that is not among these, or for other findings.
    """
    begun = account_of(after) if after is not None else ""
    if begun and begun not in accounts:
        raise CursorError("the cursor leads to no account that can be seen")
    found: list[Stored] = []
    for number, account in enumerate(sorted(one for one in accounts if one >= begun)):
        if len(found) == most or number == MOST_ACCOUNTS:
            return FindingPage(found, cursor_of(account, wanted, ""))
        page = store.page(account, after if account == begun else None, most - len(found), wanted)
        found += page.findings
        if page.next is not None:
            return FindingPage(found, page.next)
    return FindingPage(found)
