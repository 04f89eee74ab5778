"""hear_log_file: the records of a trail's log files, as S3 tells that there is one more.

They come some minutes after EventBridge has told of the same events; whoever has both hears each event once.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote_plus

from chalicelib.aws.errors import ERRORS, reason_of
from chalicelib.functions.hear import hear
from chalicelib.functions.telemetry import logger, measure
from chalicelib.hub import Hub
from chalicelib.local.log_files import LogFiles, holds_records


class LogFileBroken(RuntimeError):  # noqa: N818 - says what is the matter
    """A log file, or a part of one, could not be read. What could be was heard."""


def hear_log_files(event: Mapping[str, Any], context: Any, hub: Hub) -> dict[str, int]:
    """Hear the records of the files that S3 tells of; how many of them did what.

    Raises:
        LogFileBroken: see there; Lambda tries again, and nothing is done twice.
    """
    broken: list[str] = []
    found = hear(_records(event, hub, broken), context, hub)
    if broken:
        measure("LogFilesBroken", len(broken))
        raise LogFileBroken("; ".join(broken))
    return found


def _records(event: Mapping[str, Any], hub: Hub, broken: list[str]) -> Iterator[Mapping[str, Any]]:
    """The records of the files, one file at a time on the disk."""
    for bucket, key in _files(event):
        if not holds_records(key):
            continue
        logger.info("log file", extra={"bucket": bucket, "key": key})
        note = partial(_note, broken, f"s3://{bucket}/{key}")
        with TemporaryDirectory() as folder:
            path = Path(folder) / "records"
            try:
                body = hub.warm.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
                with path.open("wb") as file:
                    shutil.copyfileobj(body, file)
            except (*ERRORS, OSError) as error:
                note(key, reason_of(error))
                continue
            yield from LogFiles([path], note).records()


def _note(broken: list[str], name: str, _path: str, reason: str) -> None:
    broken.append(f"{name}: {reason}")


def _files(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Bucket and key of each file (S3 User Guide, "Event message structure"); a test event of S3's names none."""
    for record in event.get("Records", ()):
        s3 = record["s3"]
        yield s3["bucket"]["name"], unquote_plus(s3["object"]["key"])
