"""mfawatch snapshot: an account's state in one file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from chalicelib.cli.files import AccountFiles, answer_options, live_options, read_answers, understand, write_result
from chalicelib.cli.settings import read_settings, settings_option
from chalicelib.iam.snapshot_file import snapshot_to_json


@click.command()
@answer_options
@live_options
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE", help="write here"
)
@settings_option
def snapshot(output: Path, settings_file: Path | None, **options: Any) -> None:
    """Read the live account once into a file that `mfawatch audit --snapshot` takes.

    With the files that the AWS CLI wrote about an account, those are put into one instead.
    """
    files = AccountFiles.taken_from(options, regions=read_settings(settings_file).regions)
    exports, taken = read_answers(files)
    understand(files, exports, taken)  # a snapshot that no audit could read is not written
    write_result(json.dumps(snapshot_to_json(exports, taken)), output)
