"""Audits as people read them in a terminal. The files in `golden` show how they look."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.audit import Audit
from chalicelib.findings import Severity, Status
from chalicelib.report.next_steps import Source
from chalicelib.report.table_audit import render_audit
from tests.accounts.build import (
    ADMIN,
    GUARD,
    Person,
    Root,
    allow,
    audit,
    deny_all_but,
    document,
    exports,
    group,
    managed,
    swap,
)
from tests.report.audits import example
from tests.report.terminal import terminal

_SHOWN = frozenset({None, "mona", "jonas", "quentin", "pavel", "anna", "dana", "finn", "stig"})
_SOURCE = Source(("--snapshot", "account.json"))


@dataclass(frozen=True, slots=True)
class Shown:
    """An audit, and where it is read: how wide the terminal is, None for a file or a pipe."""

    audit: Audit
    width: int | None = None
    whole: bool = False

    def text(self) -> str:
        """What is read there."""
        if self.width is None:
            return render_audit(self.audit, source=_SOURCE, whole=self.whole)
        with terminal(self.width) as to:
            return render_audit(self.audit, source=_SOURCE, whole=self.whole, to=to)


def _company() -> Audit:
    """The example account, with what was found of some."""
    found = tuple(finding for finding in example().findings if finding.user in _SHOWN)
    return replace(example(), findings=found)


def _office() -> Audit:
    """People with the same holes, names of all widths, and much that could not be read."""
    spared = document(deny_all_but("s3:*"))
    people = [
        *(Person(name, groups=["everybody"]) for name in ("山田太郎", "佐藤", "Zoë", "плотник", "🦊", "mary", "nora")),
        *(Person(f"desk-{number:02}", inline=[ADMIN, GUARD]) for number in range(20)),
        *(Person(f"gone-{number:02}", attached=["gone"]) for number in range(9)),
        Person("robot", inline=[ADMIN], virtual=False, mfa="false"),
        Person("vera", inline=[ADMIN, document(deny_all_but("codecommit:*"))], ssh_keys=["Active"]),
        Person("walt", attached=["Loose"]),
    ]
    answers = exports(
        *people,
        groups=[group("everybody", ADMIN, spared)],
        policies=[managed("Loose", document(allow("s3:*")))],
        root=Root(mfa="false"),
    )
    found = audit(swap(answers, ssh_public_keys={}))
    return replace(
        found,
        findings=tuple(
            replace(one, status=Status.SUPPRESSED) if one.severity is Severity.MEDIUM else one for one in found.findings
        ),
    )


def golden_audits() -> dict[str, Shown]:
    """Each by the name of its file."""
    company, office = _company(), _office()
    return {
        "company-60": Shown(company, 60),
        "company-80": Shown(company, 80),
        "company-120": Shown(company, 120),
        "company-200": Shown(company, 200),
        "company-file": Shown(company),
        "office-40": Shown(office, 40),
        "office-80": Shown(office, 80),
        "office-file": Shown(office),
    }
