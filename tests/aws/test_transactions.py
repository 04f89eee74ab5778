"""Transactions: what is tried again is the same to DynamoDB, and what was lost says what was found instead."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.transactions import MOST_BYTES, Transactions, Write, batches

LOST, CONFLICT, FINE = "ConditionalCheckFailed", "TransactionConflict", "None"


class Scripted:
    """A client whose calls end as a script says, one after the other; those after its end succeed."""

    def __init__(self, *script: ClientError) -> None:
        self._script = list(script)
        self.calls: list[tuple[str, list[str]]] = []

    def transact_write_items(self, *, TransactItems: Any, ClientRequestToken: str) -> None:  # noqa: N803 - as boto3 has it
        self.calls.append((ClientRequestToken, [item["Put"]["Item"] for item in TransactItems]))
        if self._script:
            raise self._script.pop(0)


def cancelled(*reasons: str | dict[str, Any]) -> ClientError:
    told = [{"Code": one} if isinstance(one, str) else one for one in reasons]
    response: Any = {"Error": {"Code": "TransactionCanceledException", "Message": "no"}, "CancellationReasons": told}
    return ClientError(response, "TransactWriteItems")


def write(*names: str) -> Write:
    found = Write(names[0])
    for name in names:
        found.add("Put", {"Item": name}, 1)
    return found


def transactions(client: Scripted) -> Transactions:
    return Transactions(client, "a-table", pause=lambda _: None)


def test_the_same_transaction_has_the_same_token_and_another_one_another() -> None:
    busy = ClientError({"Error": {"Code": "InternalServerError", "Message": "no"}}, "TransactWriteItems")
    client = Scripted(busy, cancelled(CONFLICT, FINE), cancelled(LOST, CONFLICT), busy)
    lost = transactions(client).write([write("a"), write("b")])
    assert [one.name for one in lost] == ["a"]
    tokens, written = zip(*client.calls, strict=True)
    assert list(written) == [["a", "b"]] * 3 + [["b"]] * 2
    assert tokens == (tokens[0],) * 3 + (tokens[3],) * 2
    assert tokens[0] != tokens[3]


def test_what_was_lost_says_which_conditions_failed_and_what_they_found() -> None:
    item = {"holder": {"S": "another"}}
    client = Scripted(cancelled(FINE, {"Code": LOST, "Item": item}, LOST, FINE))
    [lost] = transactions(client).write([write("a", "b", "c"), write("d")])
    assert lost.found == {1: item, 2: None}
    assert [written for _, written in client.calls] == [["a", "b", "c", "d"], ["d"]]


def test_an_answer_that_gives_fewer_reasons_than_operations_is_no_lost_race() -> None:
    with pytest.raises(ClientError, match="TransactionCanceled"):
        transactions(Scripted(cancelled(LOST))).write([write("a", "b")])


def test_a_batch_takes_so_many_operations_and_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.aws.transactions.MOST_OPERATIONS", 4)
    large = Write("large", [("Put", {})], MOST_BYTES)
    several = [write("a", "b"), write("c"), write("d"), large, write("e")]
    assert [[one.name for one in batch] for batch in batches(several, beside=1)] == [
        ["a", "c"],
        ["d"],
        ["large"],
        ["e"],
    ]
    assert list(batches([])) == []
