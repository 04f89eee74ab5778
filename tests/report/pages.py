"""Reading report pages as a browser does: elements, texts, and the data that the script shows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from chalicelib.report.page.packing import ARN, NAME

VOID = frozenset({"meta", "link", "rect", "polyline", "br", "input"})


@dataclass
class Element:
    """An element with its attributes, and the text that is directly in it."""

    name: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Reader(HTMLParser):
    """Reads a page; complains of an element that is not closed."""

    elements: list[Element] = field(default_factory=list)
    ahead: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        found = Element(tag, dict(attrs))
        assert len(found.attributes) == len(attrs), attrs
        self.elements.append(found)
        if tag not in VOID:
            self.ahead.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """See `HTMLParser`."""
        assert self.ahead.pop().name == tag

    def handle_data(self, data: str) -> None:
        """See `HTMLParser`."""
        if self.ahead:
            self.ahead[-1].text += data

    def handle_comment(self, data: str) -> None:
        """See `HTMLParser`."""
        raise AssertionError(f"a comment: {data}")


def read_page(page: str) -> list[Element]:
    """The elements of a page, each closed."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.ahead
    return reader.elements


def data_of(page: str) -> Any:
    """The data that the page's script reads."""
    [found] = [one for one in read_page(page) if one.attributes.get("id") == "data"]
    return json.loads(found.text)


def texts_of(value: Any) -> list[str]:
    """All texts in JSON values."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in texts_of(item)]


def shown_to(value: Any, user: list[Any]) -> Any:
    """JSON values as the script shows them for a user."""
    if isinstance(value, str):
        return value.replace(ARN, user[1]).replace(NAME, user[0])
    if isinstance(value, list):
        return [shown_to(item, user) for item in value]
    return {key: shown_to(item, user) for key, item in value.items()} if isinstance(value, dict) else value


def finding_of(data: Any, user: str, control: str) -> Any:
    """What the page tells of a finding."""
    [row] = [row for row in data["users"] if row[0] == user]
    [found] = [one for one in row[9] if data["controls"][one[1]][0] == control]
    return shown_to(data["contents"][found[4]], row)
