"""For how long somebody waits for decisions. Pure: whoever waits brings the clock.

What is tried of a policy is bounded, but a few requests take as long as many where statements are many; whoever has to
answer in time gives up here, at a decision, where nothing is half done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class OutOfPatience(Exception):  # noqa: N818 - says what happened
    """Nobody waits any longer for what was to be decided."""


_LASTS: ContextVar[Callable[[], bool] | None] = ContextVar("lasts", default=None)


@contextmanager
def patience(lasts: Callable[[], bool]) -> Iterator[None]:
    """Decide meanwhile for somebody who waits as long as `lasts` says so; without it everybody waits to the end."""
    token = _LASTS.set(lasts)
    try:
        yield
    finally:
        _LASTS.reset(token)


def check_patience() -> None:
    """That somebody still waits.

    Raises:
        OutOfPatience: nobody does.
    """
    lasts = _LASTS.get()
    if lasts is not None and not lasts():
        raise OutOfPatience
