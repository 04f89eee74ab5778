"""Nothing that AWS told is active in a page, whatever it is; and all of it can be seen."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import cache

import pytest

from chalicelib.config import Settings
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.exports import read_exports
from chalicelib.report.page.fixes import plan_for_page
from chalicelib.report.page.packing import ARN, NAME, script_json
from chalicelib.report.page.render import render_page
from chalicelib.report.text import clean
from tests.accounts.build import TAKEN
from tests.report.audits import TRAPS, trapped
from tests.report.pages import data_of, read_page, shown_to, texts_of
from tests.report.test_hostile_names import HOSTILE, answers

MARKUP = {
    "the end of the script": "</script><script>alert(1)</script>",
    "a comment": "<!--<script>",
    "an attribute": "\" autofocus onfocus=alert(1) x='",
    "an entity": "&lt;b&gt;&amp;",
    "a replacement pattern": "$& $1 $$ $`",
    "our own marks": "a\ue000b\ue001c",
    "a template": "{{ 7*7 }}{% raw %}",
}
TOLD = MARKUP | HOSTILE | {name: TRAPS[name] for name in ("a formula", "quotes and commas", "an image", "a long name")}
_AS_MANY_AS_NEEDED = ("rect", "li", "ul", "details", "summary")
each = pytest.mark.parametrize("name", TOLD.values(), ids=list(TOLD))


@cache
def page(name: str) -> str:
    """The page of an account where every name is the trap, with a gap about it."""
    audit = replace(trapped(name), gaps=(Gap(Read.SSH_PUBLIC_KEYS, name, name),))
    snapshot = read_exports(answers(name), TAKEN)
    return render_page(audit, snapshot, plan=plan_for_page(audit, snapshot, Settings()))


def shape(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of the page and the names of their attributes, without those of the table for no script."""
    found = read_page(re.sub(r"<noscript>.*</noscript>", "", page(name), flags=re.DOTALL))
    # What is long is folded, and of what there is nothing nothing is drawn.
    return [(one.name, tuple(one.attributes)) for one in found if one.name not in _AS_MANY_AS_NEEDED]


@each
def test_a_page_is_made_of_the_same_elements_whatever_the_names(name: str) -> None:
    assert shape(name) == shape("harmless")
    unseen = set(page(name)) - set(f"\n{ARN}{NAME}")
    assert not [c for c in unseen if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp")]
    data = data_of(page(name))
    told = texts_of([shown_to([data["contents"][one[4]] for one in row[9]], row) for row in data["users"]])
    assert not [text for text in told if ARN in text or NAME in text]
    assert any(clean(name, most=100).removesuffix("…") in text for text in told)


@each
def test_users_who_look_the_same_have_addresses_of_their_own(name: str) -> None:
    keys = [row[2] for row in data_of(page(name))["users"]]
    assert len(keys) == len(set(keys))


def test_what_ends_a_script_does_not_stand_in_its_data() -> None:
    text = script_json({"</script>": "<!-- & > \u2028\u2029"})
    assert not set("<>&\u2028\u2029") & set(text)
    assert text.count("\\u003c") == 2
