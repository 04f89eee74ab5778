"""What the page tells of a finding: the sentence, the proof drawn step by step, the witness, the fix. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.findings import Finding, Witness
from chalicelib.iam.account import User
from chalicelib.iam.request import MfaState
from chalicelib.report.page.fixes import Fixes
from chalicelib.report.page.model import Shown
from chalicelib.report.page.places import Places
from chalicelib.report.sentences import sentence, words
from chalicelib.report.text import clean
from chalicelib.standing import state_of

MOST_ROLES = 20
_NOTES = ("accepted", "uncertain")


def shown(finding: Finding, user: User | None, places: Places, fixes: Fixes) -> Shown:
    """The finding as the page has it; `user` is whom it is about, if anybody who is there."""
    evidence, witness = finding.evidence, finding.witness
    plain = replace(finding, evidence={key: value for key, value in evidence.items() if key not in _NOTES})

    def steps(statements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [places.steps(user, one) for one in statements]

    hops = evidence.get("hops", ())
    told = {
        "what": sentence(plain),
        "resource": finding.resource,
        "accepted": words(evidence.get("accepted")),
        "doubts": list(finding.uncertain),
        "way": words(evidence.get("way")),
        "why": words(evidence.get("counterfactual")),
        "guard": steps([{**evidence["guard"], "effect": "Deny"}]) if "guard" in evidence else [],
        "steps": [] if hops else steps(evidence.get("statements", ())),
        "hops": [{**hop, "statements": steps(hop["statements"])} for hop in hops],
        "roles": [list(role["path"]) for role in evidence.get("roles", ())][:MOST_ROLES],
        "witness": _witness(witness) if witness else None,
        "commands": list(finding.commands),
        "fixes": fixes.of(finding),
        "remediate": _remediate(finding) if finding.user else "",
    }
    content = {key: value for key, value in told.items() if value}
    return Shown(finding.fingerprint, finding.control, str(finding.severity), state_of(finding), content)


def _witness(witness: Witness) -> dict[str, Any]:
    return {
        "action": witness.action,
        "resource": witness.resource,
        "mfa": str(witness.mfa),
        "context": [[key, value] for key, value in witness.context.items()],
        "command": explain_command(witness),
    }


def explain_command(witness: Witness) -> str:
    """The command that decides the witness again. What a shell, or a terminal, would take for more than text is not."""
    name = witness.principal.rpartition("/")[2]
    parts = ["--user", name, "--action", witness.action, "--resource", witness.resource]
    if witness.mfa is not MfaState.ABSENT:
        parts += ["--mfa", str(witness.mfa)]
    for key, value in witness.context.items():
        parts += ["--context", f"{key}={value}"]
    return _command("explain", parts)


def _remediate(finding: Finding) -> str:
    return _command("remediate", ["--user", finding.user or "", "--control", finding.control])


def _command(verb: str, parts: Sequence[str]) -> str:
    return " ".join(["mfawatch", verb, *(shlex.quote(clean(part)) for part in parts)])
