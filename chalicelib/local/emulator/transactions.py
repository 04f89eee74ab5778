"""DynamoDB's transactions at a cost that does not grow with the table, and one request at a time.

moto 5.2 copies the whole table for each operation of TransactWriteItems, to be able to take it back: a thousand
findings take minutes. Here what a transaction touches is copied instead; the outcome is the same.

Its server answers in threads, and nothing in it keeps two writes with conditions apart. DynamoDB does; here it is a
lock.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.models as models
from moto.core.common_types import TYPE_RESPONSE
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from chalicelib.local.emulator.changes import Changes

_write = models.DynamoDBBackend.transact_write_items
_answer = DynamoHandler.call_action


@contextmanager
def cheap_transactions() -> Iterator[None]:
    """Within it, in the emulator or under moto's decorators."""
    lock = threading.RLock()

    def answer(self: DynamoHandler) -> TYPE_RESPONSE:
        with lock:
            found: TYPE_RESPONSE = _answer(self)
            return found

    shallow = SimpleNamespace(deepcopy=lambda value: value if isinstance(value, Table) else copy.deepcopy(value))
    with ExitStack() as stack:
        changes = Changes(stack)
        changes.replace(models, "copy", shallow)
        changes.replace(models.DynamoDBBackend, "transact_write_items", _transact)
        changes.replace(DynamoHandler, "call_action", answer)
        yield


def _transact(self: Any, transact_items: list[dict[str, Any]]) -> None:
    operations = [next(iter(one.values())) for one in transact_items]
    touched = [place for one in operations if (place := _place(self, one))]
    before = [copy.deepcopy(held.get(key)) for held, key in touched]
    try:
        _write(self, transact_items)
    except Exception:
        for (held, key), item in zip(touched, before, strict=True):
            held.pop(key, None)
            if item is not None:
                held[key] = item
        raise


def _place(backend: Any, operation: dict[str, Any]) -> tuple[dict[DynamoType, Item], DynamoType] | None:
    """Where the item stands in its table: what holds it, and by which key; None for what moto is about to refuse."""
    table: Table | None = backend.tables.get(operation.get("TableName"))
    names = operation.get("Item", operation.get("Key"))
    if table is None or names is None:
        return None
    keys = [names.get(name) for name in (table.hash_key_attr, table.range_key_attr) if name is not None]
    if None in keys:
        return None
    first, *second = [DynamoType(key) for key in keys]
    held: Any = table.items
    return (held[first], second[0]) if second else (held, first)
