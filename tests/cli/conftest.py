"""Running the command in this process, as from a shell."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chalicelib.cli import main
from chalicelib.iam.exports import Exports
from tests.accounts import ANSWERS


@dataclass(frozen=True)
class Result:
    """What a command left: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    def assert_refused(self, *told: str) -> None:
        """Exit code 2, nothing on standard output, and one line of printable text that holds these pieces."""
        assert self.code == 2, self
        assert self.out == ""
        assert self.err.endswith("\n")
        [line] = self.err.splitlines()
        assert line.isprintable(), line
        assert "Traceback" not in line
        for piece in told:
            assert piece in line


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command with these arguments, and with this standard input where a test gives it."""

    def run_command(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["mfawatch", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsys.readouterr()
        code = caught.value.code
        return Result(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run_command


def write_exports(answers: Exports, folder: Path) -> list[str]:
    """Write the answers into a folder; the options that name them."""
    options: list[str] = []
    for field, name in ANSWERS.items():
        value = getattr(answers, field)
        if value is not None:
            path = folder / name
            path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
            options += [f"--{field.replace('_', '-')}", str(path)]
    return options


def demo_options(folder: Path, *left_out: str) -> list[str]:
    """The options that name the files of a stored account."""
    options: list[str] = []
    for field, name in ANSWERS.items():
        if (folder / name).exists() and field not in left_out:
            options += [f"--{field.replace('_', '-')}", str(folder / name)]
    return options
