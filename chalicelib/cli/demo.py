"""mfawatch demo: the audit of an example account, which comes with the package."""

from __future__ import annotations

import click

from chalicelib.audit import judge
from chalicelib.local.example import read_example
from chalicelib.report.table import render_table


@click.command()
def demo() -> None:
    """Judge an example account: a small company that asks for MFA, and the holes it made in the asking."""
    result = judge(read_example())
    click.echo(f"An example account of {result.users} users, as the AWS CLI exports it:\n")
    click.echo(render_table(result))
