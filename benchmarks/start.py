"""How long `import app` takes in a new interpreter, beside boto3 with one client: what a cold start waits for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from statistics import median

from benchmarks.child import Finished, environment, run
from benchmarks.tables import machine, table

BASELINE = "boto3 and one client"
PROGRAMS = {
    "app": "import app",
    BASELINE: "import boto3; boto3.client('iam')",
}
AIM = 2.5
"""How many times the baseline's seconds it may take."""
NOWHERE = "http://127.0.0.1:9"
"""An import calls nobody."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args(arguments)
    print(f"Imports in new interpreters; {options.repeats} repeats\n{machine()}\n", flush=True)
    runs: dict[str, list[tuple[float, Finished]]] = {name: [] for name in PROGRAMS}
    for _ in range(options.repeats + 1):
        for name, program in PROGRAMS.items():
            runs[name].append(_timed(program))
    # The first run of each finds nothing compiled.
    seconds = {name: [found for found, _ in measured[1:]] for name, measured in runs.items()}
    base = median(seconds[BASELINE])
    rows = [
        [
            name,
            f"{median(found):.3f}",
            f"{min(found):.3f} to {max(found):.3f}",
            f"{median(done.seconds for _, done in runs[name][1:]):.3f}",
            f"{median(done.peak for _, done in runs[name][1:]):.0f}",
            f"{median(found) / base:.2f}",
        ]
        for name, found in seconds.items()
    ]
    print(table(["", "seconds", "lowest to highest", "whole process", "peak MB", "× baseline"], rows))
    times = median(seconds["app"]) / base
    print(f"Aim, at most {AIM} times {BASELINE}: {'met' if times <= AIM else 'MISSED'} ({times:.2f}).")
    return 0


def _timed(program: str) -> tuple[float, Finished]:
    """The seconds of the program alone, and its process."""
    timed = f"from time import perf_counter; start = perf_counter(); {program}; print(perf_counter() - start)"
    done = run([sys.executable, "-c", timed], environment(NOWHERE))
    return float(done.output), done


if __name__ == "__main__":
    sys.exit(main())
