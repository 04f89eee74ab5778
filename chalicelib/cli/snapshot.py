"""mfawatch snapshot: an account's state in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from chalicelib.cli.files import AccountFiles, answer_options, read_answers, understand, write_result
from chalicelib.iam.snapshot_file import snapshot_to_json


@click.command()
@answer_options
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE", help="write here"
)
def snapshot(output: Path, **options: Any) -> None:
    """Put the files that the AWS CLI wrote about one account into one, which `mfawatch audit --snapshot` takes."""
    files = AccountFiles.taken_from(options)
    exports, taken = read_answers(files)
    understand(files, exports, taken)  # a snapshot that no audit could read is not written
    write_result(json.dumps(snapshot_to_json(exports, taken)), output)
