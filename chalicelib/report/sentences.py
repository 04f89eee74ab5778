"""What a finding says, in a sentence: the same one in every rendering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.findings import Finding, Witness

_APART = frozenset({"statements", "counterfactual", "accepted", "uncertain"})
"""Evidence that is no fact of its own: what proves the sentence is too long for it, and notes stand behind it."""


def sentence(finding: Finding) -> str:
    """The finding in a sentence, with what is accepted and what in doubt.

    It holds names as somebody typed them: clean it before printing.
    """
    return with_notes(next(filter(None, _ways_to_tell(finding))), finding)


def with_notes(told: str, finding: Finding) -> str:
    """What is told of a finding, with what is accepted of it and what in doubt."""
    if accepted := words(finding.evidence.get("accepted")):
        told += f" (accepted: {accepted})"
    return f"{told} (uncertain: {'; '.join(map(str, finding.uncertain))})" if finding.uncertain else told


def subject(finding: Finding) -> str:
    """What the finding is about, in words: a user by name, all else by ARN. Clean it like the sentence."""
    if finding.user:
        return f"user {finding.user}"
    return "the root user" if finding.resource.endswith(":root") else finding.resource


def request(witness: Witness) -> str:
    """The witness's request, with the condition values it needs."""
    needs = "".join(f", {key} = {value}" for key, value in witness.context.items())
    return f"{witness.action} on {witness.resource}{needs}"


def words(value: Any) -> str:
    """A JSON value in words; nothing for what says nothing."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        parts = ((str(key).replace("_", " "), words(item)) for key, item in value.items())
        return ", ".join(f"{key} {told}" for key, told in parts if told)
    if isinstance(value, Sequence) and not isinstance(value, str):
        between = "; " if any(isinstance(item, Mapping) for item in value) else ", "
        return between.join(filter(None, map(words, value)))
    return "" if value is None else str(value)


def _ways_to_tell(finding: Finding) -> Iterator[str]:
    """The control's own sentence; else the witness where there is one; else the facts; else the title."""
    evidence = finding.evidence
    yield words(evidence.get("summary"))
    if finding.witness:
        yield _witness(finding.witness, evidence)
    if "credentials" in evidence and evidence.get("mfa_devices") == 0:
        yield f"no MFA device; active: {words(evidence['credentials'])}"
    if "where" in evidence or "reason" in evidence:
        yield ": ".join(filter(None, (words(evidence.get(key)) for key in ("policy", "where", "reason"))))
    if "access_keys" in evidence:
        yield _root(evidence)
    facts = ((key.replace("_", " "), words(value)) for key, value in evidence.items() if key not in _APART)
    yield "; ".join(f"{key}: {told}" for key, told in facts if told)
    yield finding.title


def _witness(witness: Witness, evidence: Mapping[str, Any]) -> str:
    cause = words(evidence.get("cause"))
    way = words(evidence.get("way")) or f"aws:MultiFactorAuthPresent {witness.mfa}"
    return f"{cause}: {request(witness)} with {way}" if cause else f"{request(witness)} with {way}"


def _root(evidence: Mapping[str, Any]) -> str:
    told = f"active access keys: {words(evidence['access_keys']) or 'not known'}"
    keys = "; ".join(filter(None, (told, words(evidence.get("organisation")))))
    return keys if words(evidence.get("mfa_active")) != "no" else f"MFA off; {keys}"
