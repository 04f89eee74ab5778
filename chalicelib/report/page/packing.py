"""The page's data as JSON values that are safe to show and small: what is the same stands once.

Every text is made visible as `clean` does, so that no control character is left. A user's own name and ARN stand as
two private characters, of which `clean` leaves none: then what is told of users who differ in nothing else is the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.report.page.model import ControlLine, Page, Row, Shown
from chalicelib.report.text import clean
from chalicelib.standing import Standing

ARN, NAME = "\ue000", "\ue001"
"""Stand for the ARN and the name of the user who is told of."""
LONGEST = 4_000
"""Characters of a text at most."""
SHORTEST_NAME = 3
"""A shorter name is left as it is: it would be found within words."""


class _Pool:
    """Values by number, each once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.values: list[Any] = []

    def number(self, value: Any) -> int:
        """The number of a value."""
        key = json.dumps(value, ensure_ascii=False)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


def pack(page: Page) -> dict[str, Any]:
    """The data that the page's script reads."""
    return _Packing(page).pack()


class _Packing:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._texts, self._contents, self._doors = _Pool(), _Pool(), _Pool()
        self._controls = {control.id: number for number, control in enumerate(page.controls)}
        self._keys: dict[str, int] = {}

    def pack(self) -> dict[str, Any]:
        page = self._page
        users = [self._user(row) for row in page.users]
        return {
            "account": _safe(page.account),
            "controls": [_control(control) for control in page.controls],
            "standings": [[str(one), one.words] for one in Standing],
            "users": users,
            "findings": [self._finding(one, None) for one in page.account_findings],
            "contents": self._contents.values,
            "doors": self._doors.values,
            "texts": self._texts.values,
        }

    def _user(self, row: Row) -> list[Any]:
        name = _safe(row.name)
        return [
            name,
            _safe(row.arn),
            self._key(name),
            list(Standing).index(row.standing),
            str(row.device),
            self._texts.number([_safe(group) for group in row.groups]),
            [[self._texts.number(kind), _safe(id_), int(active)] for kind, id_, active in row.credentials],
            self._texts.number(list(row.unread)),
            self._doors.number(_safe(list(row.doors), row)),
            [self._finding(one, row) for one in row.findings],
            [self._controls[one] for one in row.unjudged if one in self._controls],
        ]

    def _key(self, name: str) -> str:
        """What names the user in the page's address: two names that look the same are told apart."""
        self._keys[name] = self._keys.get(name, 0) + 1
        return name if self._keys[name] == 1 else f"{name}~{self._keys[name]}"

    def _finding(self, one: Shown, row: Row | None) -> list[Any]:
        content = dict(_safe(one.content, row))
        for key in ("steps", "guard"):
            if key in content:
                content[key] = [self._step(step) for step in content[key]]
        if "hops" in content:
            content["hops"] = [
                {**hop, "statements": [self._step(step) for step in hop["statements"]]} for hop in content["hops"]
            ]
        if "fixes" in content:
            content["fixes"] = [{**fix, "diff": self._texts.number(fix["diff"])} for fix in content["fixes"]]
        control = self._controls.get(one.control, -1)
        return [one.fingerprint, control, one.severity, str(one.state), self._contents.number(content)]

    def _step(self, step: Mapping[str, Any]) -> dict[str, Any]:
        return {**step, "text": self._texts.number(step["text"])}


def _control(control: ControlLine) -> list[Any]:
    return [control.id, control.title, control.why, control.fix]


def _safe(value: Any, row: Row | None = None) -> Any:
    """The value with every text in it made visible, and with the user's own names replaced."""
    if isinstance(value, str):
        return _own(clean(value, most=LONGEST), row)
    if isinstance(value, Mapping):
        return {key: _safe(item, row) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_safe(item, row) for item in value]
    return value


def _own(text: str, row: Row | None) -> str:
    if row is None:
        return text
    arn, name = clean(row.arn), clean(row.name)
    text = text.replace(arn, ARN) if arn else text
    return text.replace(name, NAME) if len(name) >= SHORTEST_NAME else text


def script_json(value: Any) -> str:
    """The value as JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPED)


_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
