"""A plan as a person reads a pull request: why, what changes, what is so afterwards, and how it is undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import RenderableType
from rich.text import Text

from chalicelib.audit import Audit
from chalicelib.findings import Finding
from chalicelib.iam.account import AccountSnapshot
from chalicelib.remediation.limit import repairs_in, users_changed
from chalicelib.remediation.loose import held
from chalicelib.remediation.planned import Plan, Proposal, Refusal
from chalicelib.remediation.step import Step
from chalicelib.report.changes import document_diff, undoing, words_of
from chalicelib.report.plan_steps import shown_steps
from chalicelib.report.sentences import sentence
from chalicelib.report.table import STYLES, gap_lines, not_evaluated_lines, rendered, who
from chalicelib.report.text import clean

NOTHING_CHANGED = "Nothing was changed."
_LONGEST = 100_000
"""Characters of a line at most: more than a document of IAM has, for what is cut off would go unread."""
_HEADER = 2
"""Lines of a diff that name what is compared."""
_LONG = 12
_MOST_NAMED = 10
_MOST_LOSSES = 12
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def render_plan(
    plan: Plan, snapshot: AccountSnapshot, audit: Audit, *, plain: bool = False, end: str = NOTHING_CHANGED
) -> str:
    """The plan that was made for this account and for the findings of this audit; `end` is what it says in the end."""
    findings = {finding.fingerprint: finding for finding in audit.findings}
    return rendered(_parts(plan, snapshot, findings, audit, end), plain=plain, wrapped=False)


def _parts(
    plan: Plan, snapshot: AccountSnapshot, findings: Mapping[str, Finding], audit: Audit, end: str
) -> Iterator[RenderableType]:
    when = f"{plan.taken:%Y-%m-%d %H:%M} UTC"
    yield _line(f"Plan {plan.id} for account {plan.account or 'unknown'} as of {when}", "bold")
    yield from _repairs(plan, snapshot, findings)
    yield from _refusals(plan.refusals, findings)
    yield from _losses(plan)
    yield from _proposals(plan.proposals, snapshot)
    yield from _list("Not read", gap_lines(audit.effects()))
    yield from _list("Not evaluated", not_evaluated_lines(audit.not_evaluated))
    yield _line(f"\n{_summary(plan, snapshot)} {end}".rstrip(), "bold")


def _repairs(plan: Plan, snapshot: AccountSnapshot, findings: Mapping[str, Finding]) -> Iterator[RenderableType]:
    repairs = repairs_in(plan)
    shown: dict[tuple[str, ...], str] = {}
    for number, steps in groupby(shown_steps(plan, snapshot), key=lambda one: one.repair):
        yield _line(f"\nRepair {number} of {len(repairs)}", "bold")
        mended = sorted((findings[one] for one in repairs[number - 1][0].findings), key=lambda one: one.order)
        yield from map(_why, mended)
        for one in steps:
            yield from _step(one.number, one.step, _once(one.number, one.changes, shown))


def _once(name: str, lines: list[str], shown: dict[tuple[str, ...], str]) -> list[str]:
    """The diff of a step; a long one that is that of an earlier step, which `shown` has, is not told again."""
    header, body = lines[:_HEADER], tuple(lines[_HEADER:])
    first = shown.setdefault(body, name)
    return lines if first == name or len(body) < _LONG else [*header, f" (line by line as in step {first})"]


def _line(text: str, style: str = "", indent: int = 0) -> Text:
    """A line of its own, after the empty ones that it begins with."""
    told = text.lstrip("\n")
    empty = "\n" * (len(text) - len(told))
    return Text(f"{empty}{' ' * indent}{clean(told, most=_LONGEST)}", style=style)


def _why(finding: Finding) -> Text:
    told = clean(f" {finding.control}, {who(finding)}: {sentence(finding)}", most=_LONGEST)
    return Text.assemble("  ", (str(finding.severity), STYLES[finding.severity]), told)


def _step(number: str, step: Step, changes: Iterable[str]) -> Iterator[RenderableType]:
    yield _line(f"\nStep {number}: {words_of(step)}", indent=2)
    yield _line(f"Why: {step.reason}", indent=4)
    yield from _diff(changes)
    yield _line(f"Afterwards: {step.effect}", indent=4)
    yield _line(f"To undo it: {undoing(step)}", indent=4)


def _diff(lines: Iterable[str]) -> Iterator[RenderableType]:
    yield from (_line(line, _DIFF_STYLES.get(line[:1], ""), indent=6) for line in lines)


# --- what is not done ------------------------------------------------------------------------------------------------


def _refusals(refusals: Sequence[Refusal], findings: Mapping[str, Finding]) -> Iterator[RenderableType]:
    """Those with one reason together, the gravest first."""
    found = sorted((findings[one.finding].order, one) for one in refusals)
    together: dict[tuple[str, str, str], list[str]] = {}
    for _, one in found:
        finding = findings[one.finding]
        together.setdefault((str(finding.severity), one.control, one.reason), []).append(who(finding))
    lines = [
        f"{severity} {control}, {_names(names)}: {reason}" for (severity, control, reason), names in together.items()
    ]
    yield from _list("Refused", lines)


def _losses(plan: Plan) -> Iterator[RenderableType]:
    lines = [f"{one.user}: {one.action} on {one.resource}" for one in plan.losses]
    more = [f"and {len(lines) - _MOST_LOSSES} more (--format json lists all)"] if len(lines) > _MOST_LOSSES else []
    yield from _list("What refused repairs would have taken from people with MFA", lines[:_MOST_LOSSES] + more)


def _proposals(proposals: Iterable[Proposal], snapshot: AccountSnapshot) -> Iterator[RenderableType]:
    """Those of one document for one policy together."""
    together: dict[tuple[str, str], list[Proposal]] = {}
    for one in proposals:
        together.setdefault((one.policy, one.document), []).append(one)
    if together:
        yield _line("\nProposed, for policies that are not ours to write:", "bold yellow")
    for (policy, document), some in together.items():
        names = _names(list(dict.fromkeys(one.user or "the account" for one in some)))
        yield _line(
            f"\n{policy}: it would mend {', '.join(dict.fromkeys(one.control for one in some))} of {names}", "", 2
        )
        yield from (_line(f"Change: {change}", indent=4) for change in some[0].changes)
        yield from _diff(document_diff(_text_of(snapshot, some[0]), document, policy))


def _text_of(snapshot: AccountSnapshot, proposal: Proposal) -> str | None:
    """What the policy says that a document is proposed for; None where there is none."""
    user = snapshot.users.get(proposal.user or "")
    found = held(snapshot, user) if user else ()
    return next((stored.text for name, _, stored in found if name == proposal.policy), None)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more (--format json lists all)" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _list(title: str, lines: Sequence[str]) -> Iterator[RenderableType]:
    if lines:
        yield _line(f"\n{title}:", "bold yellow")
    yield from (_line(line, indent=2) for line in lines)


# --- how many --------------------------------------------------------------------------------------------------------


def _summary(plan: Plan, snapshot: AccountSnapshot) -> str:
    """How much the plan does, and how much it leaves."""
    done = ", ".join(
        (
            count(len(repairs_in(plan)), "repair"),
            count(len(plan.steps), "step"),
            count(len(users_changed(plan, snapshot)), "user") + " changed",
        )
    )
    left = ", ".join(
        (
            count(len(plan.findings), "finding") + " mended",
            f"{len(plan.refusals)} refused",
            count(len({(one.policy, one.document) for one in plan.proposals}), "document") + " proposed",
        )
    )
    return f"The plan: {done}; {left}."


def count(number: int, thing: str) -> str:
    """So many of a thing, in words."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def steps_that_change(steps: int, users: int) -> str:
    """So many steps and the users they change, in words."""
    return f"{count(steps, 'step')} that {'changes' if steps == 1 else 'change'} {count(users, 'user')}"
