"""How Git is used with MFA, as commands: what is known stands in them, and nothing that a shell takes otherwise."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.analysis.git_with_mfa import commands_with_mfa

ACCOUNT = "111122223333"
SHOP = f"arn:aws:codecommit:eu-west-1:{ACCOUNT}:shop"
PHONE, KEY = f"arn:aws:iam::{ACCOUNT}:mfa/anna", f"arn:aws:iam::{ACCOUNT}:u2f/user/anna/key"


def test_what_is_known_stands_in_the_commands() -> None:
    assert commands_with_mfa([SHOP], ACCOUNT, devices=[KEY, PHONE]) == (
        "# with a session that MFA was given for, of the access key in a profile:",
        "mfawatch session --profile default --region eu-west-1",
        "git remote set-url origin codecommit::eu-west-1://default-mfa@shop",
        "# or with a role that asks for MFA:",
        "aws configure set profile.codecommit.role_arn arn:aws:iam::111122223333:role/ROLE",
        "aws configure set profile.codecommit.source_profile default",
        "aws configure set profile.codecommit.mfa_serial arn:aws:iam::111122223333:mfa/anna",
        "git remote set-url origin codecommit::eu-west-1://codecommit@shop",
    )


@pytest.mark.parametrize(
    ("repositories", "address"),
    [
        ([SHOP.replace("shop", "team-*")], "codecommit::eu-west-1://default-mfa@REPOSITORY"),
        ([SHOP, SHOP.replace("shop", "till")], "codecommit::eu-west-1://default-mfa@REPOSITORY"),
        ([SHOP, SHOP.replace("west-1", "west-2")], "codecommit::REGION://default-mfa@REPOSITORY"),
        ([SHOP.replace("eu-west-1", "*")], "codecommit::REGION://default-mfa@shop"),
        ([SHOP, "and 3 more"], "codecommit::REGION://default-mfa@REPOSITORY"),
        (["*"], "codecommit::REGION://default-mfa@REPOSITORY"),
        ([], "codecommit::REGION://default-mfa@REPOSITORY"),
        ([SHOP.replace("shop", "a b;$(id)")], "codecommit::eu-west-1://default-mfa@REPOSITORY"),
        ([SHOP.replace("eu-west-1", "`id`")], "codecommit::REGION://default-mfa@shop"),
    ],
)
def test_what_is_not_known_is_left_to_be_filled_in(repositories: list[str], address: str) -> None:
    assert commands_with_mfa(repositories, ACCOUNT)[2] == f"git remote set-url origin {address}"


@pytest.mark.parametrize("devices", [[], [KEY], [PHONE, f"{PHONE}-2"], ["$(id) and more"]])
def test_which_device_is_left_open_where_it_is_not_one(devices: list[str]) -> None:
    assert commands_with_mfa([SHOP], ACCOUNT, "aws-cn", devices)[6].endswith(" arn:aws-cn:iam::111122223333:mfa/DEVICE")


@given(st.lists(st.text() | st.text().map(f"arn:aws:codecommit:eu-west-1:{ACCOUNT}:{{}}".format)), st.lists(st.text()))
def test_a_shell_takes_every_line_as_it_stands(repositories: list[str], devices: list[str]) -> None:
    for line in commands_with_mfa(repositories, ACCOUNT, "aws", devices):
        assert line.isascii()
        assert line.isprintable()
        if not line.startswith("# "):
            words = shlex.split(line)
            assert " ".join(words) == shlex.join(words) == line
