"""The page as one HTML document that needs nothing beside it, and lets nothing be active that AWS told.

Texts become HTML through Jinja's autoescape, and the script makes elements of them without reading any as markup. A
Content-Security-Policy names the style and the script by their hashes: no other runs, and nothing is loaded or sent.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from chalicelib.audit import Audit
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.planned import Plan
from chalicelib.report.page.build import build_page
from chalicelib.report.page.lines import SEVERITIES
from chalicelib.report.page.model import Device, Page
from chalicelib.report.page.packing import pack, script_json
from chalicelib.report.text import clean
from chalicelib.runs import RunReport
from chalicelib.standing import Standing

SCRIPTS = ("data", "elements", "finding", "person", "users", "main")
"""The parts of the script, in their order."""
_WIDTH = 1000
_ALWAYS = frozenset({Standing.OPEN, Standing.EXEMPTED, Standing.ENFORCED})


def render_page(
    audit: Audit, snapshot: AccountSnapshot, history: Sequence[RunReport] = (), *, plan: Plan | None = None
) -> str:
    """The page of an audit of this snapshot; the same for the same state, byte for byte.

    `history` are the runs on the account that the ledger remembers. `plan` is what would be done about the findings:
    the page shows its diffs.
    """
    return render(build_page(audit, snapshot, history, plan), total=len(audit.findings))


def render(page: Page, *, total: int) -> str:
    """The page as HTML; `total` is how many findings there are."""
    style, script = _asset("page.css"), "".join(_asset(f"{name}.js") for name in SCRIPTS)
    return _template().render(
        page=page,
        policy=content_security_policy(style, script),
        style=Markup(style),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704
        data=Markup(script_json(pack(page))),  # noqa: S704 - escaped for where it stands
        parts=list(_parts(page)),
        without_device=sum(row.device is Device.NO for row in page.users),
        severities=[str(one) for one in SEVERITIES],
        total=total,
    )


def content_security_policy(style: str, script: str) -> str:
    """The policy: nothing but this style and this script, and no text becomes markup by way of a script."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _parts(page: Page) -> Iterator[dict[str, Any]]:
    """How many users stand where, and the place of each in a bar."""
    counts = {standing: sum(row.standing is standing for row in page.users) for standing in Standing}
    before = 0
    whole = max(len(page.users), 1)
    for standing, count in counts.items():
        begin, end = (_WIDTH * number // whole for number in (before, before + count))
        yield {
            "name": str(standing),
            "words": standing.words,
            "count": count,
            "from": begin,
            "width": end - begin,
            "always": standing in _ALWAYS,
        }
        before += count


# --- the template ----------------------------------------------------------------------------------------------------


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_visible
    )
    environment.filters |= {
        "moment": _moment,
        "number": lambda value: f"{value:,}",
        "dashed": lambda text: text.replace(" ", "-"),
        "coded": _coded,
        "capitalized": lambda text: text[:1].upper() + text[1:],
    }
    return environment.from_string(_read("templates", "page.html.j2"))


def _visible(value: Any) -> Any:
    """A text with everything in it to be seen; what is markup already is ours."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _coded(text: str) -> Markup:
    """A text in which what stands between backticks is code."""
    parts = clean(text).split("`")
    return Markup().join(Markup("<code>{}</code>").format(p) if n % 2 else p for n, p in enumerate(parts))


def _moment(moment: datetime) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC"


@cache
def _asset(name: str) -> str:
    return _read("assets", name)


def _read(folder: str, name: str) -> str:
    return (importlib.resources.files("chalicelib.report.page") / folder / name).read_text(encoding="utf-8")
