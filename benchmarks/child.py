"""A command as a process of its own, with what it cost.

A process that has just been started counts the memory of the one that started it among its own. So the command is
started by this module, run as a program: a small process that has nothing else to do.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

_FOREIGN = ("AWS_", "BOTO_", "C7N_", "MFAWATCH_", "POWERTOOLS_", "PYTHON")
"""What variables begin with that would make one machine's run differ from another's."""


class FailedError(Exception):
    """The command failed; the message has the last that it wrote."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has run: its seconds, those of its processors, its peak memory in megabytes, and what it wrote."""

    seconds: float
    cpu: float
    peak: float
    output: str


def run(command: Sequence[str], environment: Mapping[str, str]) -> Finished:
    """Run a command to its end.

    Raises:
        FailedError: it ended with another exit code than 0.
    """
    starter = [sys.executable, "-I", __file__, *command]
    done = subprocess.run(starter, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    if found["code"]:
        raise FailedError(f"{' '.join(command)}: exit code {found['code']}\n{found['errors'][-2_000:]}")
    return Finished(found["seconds"], found["cpu"], found["peak"], found["output"])


def environment(url: str) -> dict[str, str]:
    """This process's variables without what would change a measured one, and with an emulator for AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)}
    return kept | {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _main() -> None:
    start = perf_counter()
    done = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=False)
    seconds = perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "code": done.returncode,
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        # The system counts in kilobytes, or in bytes on macOS.
        "peak": used.ru_maxrss * (1 if sys.platform == "darwin" else 1_024) / 1_000_000,
        "output": done.stdout,
        "errors": done.stderr,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
