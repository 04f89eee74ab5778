"""Check what Chalice packed: `python -m chalicelib.local.check_bundle DEPLOYMENT.ZIP REQUIREMENTS.TXT`.

Chalice leaves out a package that it finds no wheel for and only says so, and takes along what another package asks
for, 15 MB of botocore among it.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

MOST_BYTES = 8_000_000
OF_THE_RUNTIME = ("boto3", "botocore", "s3transfer")
"""What the Lambda runtime brings."""

_DISTRIBUTION = re.compile(r"^([^/]+)-([^-/]+)\.dist-info/METADATA$")


def pins(requirements: str) -> dict[str, str]:
    """Package → version, as a requirements file pins them.

    Raises:
        ValueError: a line is no pin.
    """
    found = {}
    for line in requirements.splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        name, equal, version = text.partition("==")
        if not equal:
            raise ValueError(f"no pin: {text}")
        found[_normal(name)] = version
    return found


def complaints(bundle: Path, wanted: dict[str, str]) -> Iterator[str]:
    """What is wrong with the bundle: its size, and what is missing in it or should not be there."""
    size = bundle.stat().st_size
    if size > MOST_BYTES:
        yield f"{bundle} has {size:,} bytes, more than {MOST_BYTES:,}"
    with zipfile.ZipFile(bundle) as packed:
        names = packed.namelist()
    there = {_normal(match[1]): match[2] for match in map(_DISTRIBUTION.match, names) if match}
    for name, version in wanted.items():
        if there.get(name) != version:
            yield f"{name} {version} should be in {bundle}; there is {there.get(name, 'none')}"
    for name in there.keys() - wanted.keys():
        yield f"{name} {there[name]} is in {bundle}, and requirements.txt does not name it"
    tops = {name.partition("/")[0] for name in names}
    for name in tops.intersection(OF_THE_RUNTIME):
        yield f"{name} is in {bundle}; the Lambda runtime has it"


def main(arguments: Sequence[str]) -> int:
    """Check, and say what is wrong; 0 if nothing is."""
    bundle, requirements = map(Path, arguments)
    found = sorted(complaints(bundle, pins(requirements.read_text())))
    for complaint in found:
        print(complaint, file=sys.stderr)
    return 1 if found else 0


def _normal(name: str) -> str:
    """One spelling of a package's name (packaging.python.org, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
