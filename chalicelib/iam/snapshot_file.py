"""The snapshot file: AWS's own answers about one account, in one JSON object, with what could not be read.

The answers are kept as AWS gave them and understood anew at each reading: a later version of mfawatch judges an old
snapshot by all it has learnt since, and nothing is lost in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.iam.account import Gap, Read
from chalicelib.iam.documents import kind_of
from chalicelib.iam.exports import Exports
from chalicelib.iam.values import parse_time

FORMAT = "mfawatch-snapshot/1"
ANSWERS: dict[Read, str] = {read: read.name.lower() for read in Read}
"""The answers a snapshot can hold, and their fields in `Exports`."""


class SnapshotError(ValueError):
    """The value is no snapshot; the message names the place."""


def snapshot_to_json(exports: Exports, taken: datetime) -> dict[str, Any]:
    """The file's content."""
    answers = {str(read): getattr(exports, field) for read, field in ANSWERS.items()}
    return {
        "format": FORMAT,
        "taken_at": taken.isoformat(timespec="seconds"),
        "answers": {name: answer for name, answer in answers.items() if answer is not None},
        "as_needed": sorted(map(str, exports.as_needed)),
        "gaps": [{"read": str(gap.read), "subject": gap.subject, "reason": gap.reason} for gap in exports.gaps],
    }


def parse_snapshot(value: object) -> tuple[Exports, datetime]:
    """The answers of a snapshot file, and when they were taken.

    Raises:
        SnapshotError: it is no snapshot of a format that this version knows.
    """
    snapshot = _mapping(value, "")
    if snapshot.get("format") != FORMAT:
        raise SnapshotError(f"format: must be {FORMAT!r}")
    taken = parse_time(snapshot.get("taken_at"))
    if taken is None:
        raise SnapshotError("taken_at: must be a time such as 2026-01-31T12:00:00+00:00")
    answers = _mapping(snapshot.get("answers"), "answers")
    unknown = sorted(set(answers) - set(map(str, ANSWERS)))
    if unknown:
        raise SnapshotError(f"answers: unknown answer {unknown[0][:64]!r}")
    report = answers.get(str(Read.CREDENTIAL_REPORT))
    if report is not None and not isinstance(report, str):
        raise SnapshotError(f"answers.{Read.CREDENTIAL_REPORT}: must be a string, not {kind_of(report)}")
    gaps = snapshot.get("gaps", [])
    if not isinstance(gaps, list):
        raise SnapshotError(f"gaps: must be an array, not {kind_of(gaps)}")
    fields = {field: answers.get(str(read)) for read, field in ANSWERS.items()}
    found = tuple(_gap(gap, f"gaps[{i}]") for i, gap in enumerate(gaps))
    return Exports(**fields, gaps=found, as_needed=_reads(snapshot.get("as_needed", []))), taken


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SnapshotError(f"{where}{': ' if where else ''}must be an object, not {kind_of(value)}")
    return value


def _reads(value: object) -> frozenset[Read]:
    if not isinstance(value, list) or not set(value) <= set(map(str, Read)):
        raise SnapshotError("as_needed: must be an array of names of answers")
    return frozenset(map(Read, value))


def _gap(value: object, where: str) -> Gap:
    found = _mapping(value, where)
    texts = [found.get(name) for name in ("read", "subject", "reason")]
    if not all(isinstance(text, str) for text in texts) or texts[0] not in set(map(str, Read)):
        raise SnapshotError(f"{where}: needs read, subject and reason, three strings")
    return Gap(Read(str(texts[0])), str(texts[1]), str(texts[2]))
