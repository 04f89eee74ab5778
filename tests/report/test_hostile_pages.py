"""The page of an account whose names are traps: what a browser makes of it is what it makes of any other page."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections import Counter
from functools import cache
from html.parser import HTMLParser

import pytest

from chalicelib.iam.exports import read_exports
from chalicelib.report.page.packing import ARN, NAME, script_json
from chalicelib.report.page.render import render_page
from tests.accounts.build import TAKEN
from tests.hostile import ALL, HOSTILE, MARKUP
from tests.report.audits import texts, trapped, unsafe
from tests.report.pages import data_of
from tests.report.test_hostile_names import answers

NAMES = ALL if "MFAWATCH_THOROUGH" in os.environ else MARKUP | dict(list(HOSTILE.items())[::4])
each = pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))


class Seen(HTMLParser):
    """What a browser makes of a page: its elements with their attributes, its scripts, and what is read."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[tuple[str, frozenset[str]]] = set()
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.links: Counter[str] = Counter()
        self.read = ""
        self.others: list[str] = []
        self._within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, frozenset(name for name, _ in attrs)))
        self.links.update(value or "" for name, value in attrs if name in ("href", "src", "action", "style"))
        self._within = tag if tag in self.raw else self._within

    def handle_endtag(self, tag: str) -> None:
        self._within = "" if tag == self._within else self._within

    def handle_data(self, data: str) -> None:
        if self._within:
            self.raw[self._within].append(data)
        else:
            self.read += data

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)


@cache
def page_of(name: str) -> str:
    return render_page(trapped(name), read_exports(answers(name), TAKEN))


@cache
def plain() -> Seen:
    """The page of the same account with a plain name."""
    return Seen(page_of("plain"))


@each
def test_a_browser_makes_nothing_of_what_names_hold(name: str) -> None:
    page = page_of(name)
    page.encode()
    seen = Seen(page)
    assert seen.elements <= plain().elements
    assert seen.others == plain().others
    assert set(seen.links) <= set(plain().links)
    assert len(seen.raw["script"]) == len(plain().raw["script"])
    assert seen.raw["style"] == plain().raw["style"]
    shown = {unicodedata.category(c) for c in seen.read.replace("\n", "")}
    assert not shown & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    [data] = [text for text in seen.raw["script"] if text.lstrip().startswith(("{", "["))]
    assert not set("<>&\u2028\u2029") & set(data)
    told = [re.sub(f"[\n{ARN}{NAME}]", "", text) for text in texts(json.loads(data))]
    assert not [text for text in told if unsafe(text)]


@each
def test_users_who_look_the_same_have_addresses_of_their_own(name: str) -> None:
    keys = [row[2] for row in data_of(page_of(name))["users"]]
    assert len(keys) == len(set(keys))


def test_what_ends_a_script_does_not_stand_in_its_data() -> None:
    text = script_json({"</script>": "<!-- & > \u2028\u2029"})
    assert not set("<>&\u2028\u2029") & set(text)
    assert text.count("\\u003c") == 2
