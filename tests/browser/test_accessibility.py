"""axe-core finds nothing serious in the page, in light and in dark, at a desk and on a phone."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest

from tests.browser.conftest import OpenTab

GRAVE = ("serious", "critical")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
VIEWS = {
    "all users": "",
    "a user with a hole": "#user/quentin",
    "a user with Git": "#user/hugo",
    "barred": "#user/finn",
}


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("fragment", VIEWS.values(), ids=list(VIEWS))
def test_axe_finds_nothing_serious(tab: OpenTab, fragment: str, scheme: str, width: int) -> None:
    axe = (importlib.resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    # The page's policy lets no script in but its own.
    with tab(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True) as found:
        page = found.open(fragment)
        page.evaluate(axe)
        told: Any = page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", list(RULES)
        )
        assert told["violations"] is not None
        assert len(told["passes"]) > 20
        grave = [
            (one["id"], node["html"][:160], node["any"][:1] and node["any"][0]["message"])
            for one in told["violations"]
            if one["impact"] in GRAVE
            for node in one["nodes"][:3]
        ]
        assert grave == []
