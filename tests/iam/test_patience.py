"""Whoever waits for decisions, and for how long."""

from __future__ import annotations

import pytest

from chalicelib.iam.patience import OutOfPatience, check_patience, patience


def test_without_a_limit_everybody_waits() -> None:
    check_patience()


def test_it_lasts_as_long_as_is_said_and_ends_with_who_waits() -> None:
    left = iter([True, False])
    with patience(lambda: next(left)):
        check_patience()
        with pytest.raises(OutOfPatience):
            check_patience()
    check_patience()
