"""ARNs are shortened where nobody can take one for another."""

from __future__ import annotations

import pytest

from chalicelib.report.arns import Arns

OWN = "arn:aws:iam::111122223333:policy"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{OWN}/Loose, Sid Own", "arn:…:policy/Loose, Sid Own"),
        (f"on {OWN}/a, {OWN}/b; and", "on arn:…:policy/a, arn:…:policy/b; and"),
        (f"{OWN}/with,comma;and x", "arn:…:policy/with,comma;and x"),
        (f"{OWN}/same", f"{OWN}/same"),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("arn:aws:iam::999988887777:role/x", "arn:aws:iam::999988887777:role/x"),
        ("arn:aws:iam::*:user/dana", "arn:aws:iam::*:user/dana"),
        ("arn:aws:s3:::bucket/key", "arn:aws:s3:::bucket/key"),
        ("arn:aws:codecommit:eu-west-1:111122223333:shop", "arn:aws:codecommit:eu-west-1:111122223333:shop"),
        ("arn:aws:kms:eu-west-1:111122223333:key/*", "arn:…:key/*"),
    ],
)
def test_an_arn_is_shortened_where_its_end_tells_it_apart(text: str, shown: str) -> None:
    others = [f"{OWN}/same", "arn:aws:iam::999988887777:policy/same"]
    assert Arns([text, *others], "111122223333").shortened(text) == shown
