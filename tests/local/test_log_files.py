"""Records out of files: every shape that CloudTrail and its tools write, whatever the files are called."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from chalicelib.local.caller import key_of
from chalicelib.local.log_files import LogFiles
from chalicelib.local.trail import Trail, event_of

ACCOUNT = "111122223333"
SHAPES: dict[str, Callable[[list[Any]], str]] = {
    "a log file": lambda records: json.dumps({"Records": records}),
    "a log file, indented": lambda records: json.dumps({"Records": records}, indent=4),
    "an array": json.dumps,
    "records one after the other": lambda records: "".join(map(json.dumps, records)),
    "a record a line": lambda records: "\n".join(map(json.dumps, records)),
    "a log file a line": lambda records: "\n".join(json.dumps({"Records": [record]}) for record in records),
    "an event of EventBridge a line": lambda records: "\r\n".join(json.dumps(event_of(record)) for record in records),
    "an array of events": lambda records: json.dumps([event_of(record) for record in records], indent=2),
    "lookup-events": lambda records: json.dumps(
        {"Events": [{"EventId": "x", "CloudTrailEvent": json.dumps(record)} for record in records], "NextToken": "y"},
        indent=4,
    ),
    "lookup-events, the events alone": lambda records: json.dumps(list(map(json.dumps, records)), indent=4),
    "lookup-events as text": lambda records: "\t".join(map(json.dumps, records)) + "\n",
    "under another name": lambda records: "\n".join(json.dumps({"origin": "x", "record": one}) for one in records),
}
PACKED: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "with a byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16, as a shell of Windows writes": lambda text: text.encode("utf-16"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip in two parts": lambda text: gzip.compress(text[:50].encode()) + gzip.compress(text[50:].encode()),
}


def records(count: int = 3) -> list[dict[str, Any]]:
    trail = Trail(ACCOUNT)
    for number in range(count):
        trail.git(key_of(ACCOUNT, f"ännä-{number}"), "shop", "pull", protocol="HTTP")
    return trail.records()


def read(paths: Sequence[Path]) -> tuple[list[Any], list[tuple[str, str]]]:
    broken: list[tuple[str, str]] = []
    return list(LogFiles(paths, lambda *told: broken.append(told)).records()), broken


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_records(shape: str, packed: str, tmp_path: Path) -> None:
    # The name says nothing of what is in it.
    path = tmp_path / "log.txt"
    path.write_bytes(PACKED[packed](SHAPES[shape](found := records())))
    assert read([path]) == (found, [])


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    found = records()
    data = gzip.compress(json.dumps({"Records": found}).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert read([Path("-")]) == (found, [])


def test_a_byte_that_is_no_utf_8_costs_no_record(tmp_path: Path) -> None:
    found = records(2)
    path = tmp_path / "log.json"
    path.write_bytes(json.dumps(found).encode().replace(b"git/2.47.1", b"git/\xff", 1))
    read_back, broken = read([path])
    assert [one["eventID"] for one in read_back] == [one["eventID"] for one in found]
    assert read_back[0]["userAgent"] == "git/\ufffd"
    assert broken == []


# --- directories -----------------------------------------------------------------------------------------------------

LAYOUT = {
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/02/b.json.gz": True,
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/02/a.json.gz": True,
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/01/c.json.gz": True,
    "AWSLogs/o-example/111122223333/CloudTrail/us-east-1/2026/01/01/d.json": True,
    "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/01/01/e.json.gz": False,
    "AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2026/01/01/f.json.gz": False,
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/01/1_CloudTrail-Digest_2.json.gz": False,
    "AWSLogs/111122223333/Config/eu-west-1/2026/01/01/g.json.gz": False,
    "AWSLogs/111122223333/CloudTrail/.hidden/h.json.gz": False,
    "README.md": False,
    "more/lines.JSONL": True,
    "more/lines.ndjson": True,
}


def test_a_directory_gives_the_logs_in_it_in_their_order(tmp_path: Path) -> None:
    written: dict[str, dict[str, Any]] = {}
    for name in LAYOUT:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        [written[name]] = records(1)
        text = json.dumps(written[name]).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    files = LogFiles([tmp_path], lambda *told: pytest.fail(str(told)))
    assert list(files.records()) == [written[name] for name in sorted(name for name in LAYOUT if LAYOUT[name])]
    assert files.files == sum(LAYOUT.values())


@pytest.mark.parametrize("inside", ["AWSLogs/111122223333/CloudTrail/eu-west-1", "AWSLogs/111122223333"])
def test_a_part_of_a_bucket_is_enough(inside: str, tmp_path: Path) -> None:
    folder = tmp_path / "AWSLogs/111122223333/CloudTrail/eu-west-1"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps(records(1)))
    assert len(read([tmp_path / inside])[0]) == 1


def test_all_bytes_are_counted(tmp_path: Path) -> None:
    for number, packed in enumerate(PACKED.values()):
        (tmp_path / f"{number}.json").write_bytes(packed(json.dumps({"Records": records(20)})))
    counted: list[int] = []
    files = LogFiles([tmp_path], lambda *told: pytest.fail(str(told)), counted.append)
    assert len(list(files.records())) == 20 * len(PACKED)
    assert sum(counted) == files.size() == sum(path.stat().st_size for path in tmp_path.iterdir())
    assert LogFiles([tmp_path, Path("-")], lambda *_: None).size() is None


# --- what is broken --------------------------------------------------------------------------------------------------


def cut_gzip(text: str) -> bytes:
    # Without compression it is known where it is cut.
    return gzip.compress(text.encode(), compresslevel=0)[: len(text) // 2]


def wrong_check(text: str) -> bytes:
    data = gzip.compress(text.encode())
    return data[:-8] + bytes(4) + data[-4:]


BROKEN: dict[str, tuple[Callable[[str], bytes], int | None, str]] = {
    "gzip that is cut off": (cut_gzip, None, "ends in the middle of gzip"),
    "gzip whose sum is wrong": (wrong_check, 20, "is broken gzip"),
    "gzip with something behind it": (lambda text: gzip.compress(text.encode()) + b"x", 20, "is broken gzip"),
    "gzip of nothing that is gzip": (lambda _: b"\x1f\x8b" + bytes(40), 0, "is broken gzip"),
    "JSON that is cut off": (lambda text: text[: len(text) // 2].encode(), None, "ends in the middle of a value"),
    "HTML": (lambda _: b"<html>", 0, "line 1 column 1: Expecting value"),
    "zeros": (lambda _: bytes(1_000), 0, "line 1 column 1: Expecting value"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_costs_what_is_behind_the_break_and_no_other_file(case: str, tmp_path: Path) -> None:
    pack, count, told = BROKEN[case]
    paths = [tmp_path / name for name in ("1.json", "2.json", "3.json")]
    for path in paths:
        path.write_text(json.dumps({"Records": records(1)}))
    text = json.dumps({"Records": records(20)})
    paths[1].write_bytes(pack(text))
    found, [(source, reason)] = read(paths)
    assert source == str(paths[1])
    assert told in reason
    kept = len(found) - 2
    assert kept == count if count is not None else 5 <= kept <= 15


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records(1)))
    found, [(source, reason)] = read([tmp_path / "none.json", path])
    assert len(found) == 1
    assert (source, reason) == (str(tmp_path / "none.json"), "No such file or directory")


def test_a_link_that_leads_back_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(records(1)))
    (tmp_path / "again").symlink_to(tmp_path)
    assert len(read([tmp_path])[0]) == 1


@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", "7", '"x"', '"{"', '{"Records": [null, 1, [], "{}"]}', '{"detail": 1}']
)
def test_what_holds_no_record_gives_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert read([path]) == ([], [])
