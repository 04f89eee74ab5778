"""Findings page by page out of the ledger's table. `finding_table` says how it is keyed."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.aws.finding_items import TIGHT, Values, stored_of_item, typed
from chalicelib.aws.finding_table import PARTITION, SORT, finding_key
from chalicelib.aws.observations import is_observation
from chalicelib.ledger import Stored
from chalicelib.paging import CursorError, FindingPage, Wanted, cursor_of, place_of

MOST_READ = 2_000
"""Items that are gone through for one page, some 10 MB at the most; a page that is short then leads on."""
AT_ONCE = 500
"""Items that DynamoDB goes through for one answer where it is to leave out some."""

Found = tuple[str, Stored]
"""A finding with its sort key, which is its place."""


def read_page(dynamodb: Any, table: str, account: str, after: str | None, most: int, wanted: Wanted) -> FindingPage:
    """Up to `most` findings of an account that are wanted, in the order of their users' names.

    DynamoDB goes through the findings of one user where that is who is wanted; otherwise through all, and leaves out
    what does not match before it answers.

    Raises:
        CursorError: `after` was not handed out for this.
    """
    place = _start(after, account, wanted)
    if not wanted.is_possible:
        return FindingPage(())
    found: list[Found] = []
    read = 0
    asked = _asked(table, account, wanted)
    filtered = "FilterExpression" in asked
    while True:
        limit = AT_ONCE if filtered else most - len(found) + 1
        start = {"ExclusiveStartKey": typed({PARTITION: account, SORT: place})} if place else {}
        answer = dynamodb.query(**asked, **start, Limit=limit)
        read += answer["ScannedCount"]
        found += (one for one in map(_found, answer["Items"]) if one and wanted.matches(one[1]))
        last = answer.get("LastEvaluatedKey")
        place = str(last[SORT]["S"]) if last else ""
        if len(found) > most:
            place = found[most - 1][0]
        if not place or len(found) > most or read >= MOST_READ:
            return FindingPage([one for _, one in found[:most]], cursor_of(account, wanted, place) if place else None)


def _start(after: str | None, account: str, wanted: Wanted) -> str:
    """The sort key after which the page begins; empty for the first page."""
    place = place_of(after, account, wanted) if after is not None else ""
    if place and not place.startswith(finding_key(wanted.user) if wanted.user else "F#"):
        raise CursorError("the cursor leads to no finding")  # DynamoDB takes no key from outside of the range
    return place


def _asked(table: str, account: str, wanted: Wanted) -> dict[str, Any]:
    """What of a query is the same for each answer. The filter lets everything through that matches, and little else."""
    names = {"#account": PARTITION, "#entry": SORT}
    values = {":account": account, ":beginning": finding_key(wanted.user) if wanted.user else "F#"}
    filters = []
    for name, value, attribute in (
        ("status", wanted.status, "state"),
        ("control", wanted.control, "finding"),
        ("severity", wanted.severity, "finding"),
    ):
        if value is not None:
            names[f"#{attribute}"] = attribute
            values[f":{name}"] = f'"{name}":{json.dumps(value, separators=TIGHT, ensure_ascii=False)}'
            filters.append(f"contains(#{attribute}, :{name})")
    return {
        "TableName": table,
        "KeyConditionExpression": "#account = :account AND begins_with(#entry, :beginning)",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": typed(values),
        "ConsistentRead": True,
        **({"FilterExpression": " AND ".join(filters)} if filters else {}),
    }


def _found(item: Values) -> Found | None:
    """The finding of an item; None for what was observed."""
    return None if is_observation(item) else (item[SORT]["S"], stored_of_item(item))
