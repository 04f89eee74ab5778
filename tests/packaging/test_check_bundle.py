"""What `make package` says of a bundle, and that the bundle's packages are the tested ones and complete."""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import requires, version
from pathlib import Path

import pytest

from chalicelib.local import check_bundle
from chalicelib.local.check_bundle import OF_THE_RUNTIME, complaints, main, pins
from tests.packaging.rendering import ROOT

WANTED = {"example": "1.0", "other-name": "2.5.2"}
WHOLE = ["app.py", "example/__init__.py", "example-1.0.dist-info/METADATA", "other_name-2.5.2.dist-info/METADATA"]
EXTRAS = {"aws-lambda-powertools": "tracer"}
"""The extra of a package whose dependencies are in the bundle."""
ASKED_FOR = {"aws-lambda-powertools", "slack-sdk", "tzdata", "jinja2", "pydantic"}
"""What the functions use themselves; all else in the bundle is what these ask for."""


def pinned() -> dict[str, str]:
    return pins((ROOT / "requirements.txt").read_text())


def pack(target: Path, names: Iterable[str], size: int = 0) -> Path:
    with zipfile.ZipFile(target, "w") as bundle:
        for name in names:
            bundle.writestr(name, "")
        bundle.writestr("filling", "x" * size)
    return target


def test_a_whole_bundle_has_no_complaint(tmp_path: Path) -> None:
    assert list(complaints(pack(tmp_path / "b.zip", WHOLE), WANTED)) == []


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (WHOLE[:-1], "other-name 2.5.2 should be in .*; there is none"),
        ([*WHOLE[:-1], "other_name-2.4.dist-info/METADATA"], "other-name 2.5.2 should be in .*; there is 2.4"),
        ([*WHOLE, "more-3.dist-info/METADATA"], "more 3 is in .*, and requirements.txt does not name it"),
        ([*WHOLE, "botocore/data/ec2.json"], "botocore is in .*; the Lambda runtime has it"),
    ],
)
def test_what_is_wrong_with_a_bundle(names: list[str], complaint: str, tmp_path: Path) -> None:
    [found] = complaints(pack(tmp_path / "b.zip", names), WANTED)
    assert re.fullmatch(complaint, found)


def test_a_large_bundle(tmp_path: Path) -> None:
    [found] = complaints(pack(tmp_path / "b.zip", WHOLE, check_bundle.MOST_BYTES), WANTED)
    assert "bytes, more than 8,000,000" in found


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# all of it\nexample==1.0  # why\n\nOther_Name==2.5.2\n")
    whole, empty = pack(tmp_path / "whole.zip", WHOLE), pack(tmp_path / "empty.zip", [])
    assert main([str(whole), str(requirements)]) == 0
    assert capsys.readouterr().err == ""
    assert main([str(empty), str(requirements)]) == 1
    assert [line.partition(" ")[0] for line in capsys.readouterr().err.splitlines()] == ["example", "other-name"]


def test_a_requirement_is_a_pin() -> None:
    with pytest.raises(ValueError, match="no pin: example>=1"):
        pins("example>=1")


# --- requirements.txt ------------------------------------------------------------------------------------------------


def test_the_tests_run_with_what_is_packed() -> None:
    assert {name: version(name) for name in pinned()} == pinned()


def test_nothing_that_the_packages_ask_for_is_missing() -> None:
    """pip is told to resolve nothing when it packs, so that requirements.txt has to be complete."""
    wanted = set()
    for name in pinned():
        for requirement in requires(name) or ():
            needed, _, marker = requirement.partition(";")
            if not marker or f"'{EXTRAS.get(name)}'" in marker:
                wanted.add(re.split(r"[^\w.-]", needed.strip(), maxsplit=1)[0].lower().replace("_", "-"))
    assert wanted - set(OF_THE_RUNTIME) == pinned().keys() - ASKED_FOR


def test_pyproject_asks_for_the_same_versions() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    asked = {re.split(r"[^\w.-]", line, maxsplit=1)[0].replace("_", "-"): line for line in declared}
    assert asked.keys() >= ASKED_FOR
    for name in asked.keys() & pinned().keys():
        assert asked[name].endswith(f"=={pinned()[name]}")
