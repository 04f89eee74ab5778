"""A profile put into the text of a credentials file: what stands around it stays byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.local.profile_text import ProfileError, profiles_of, with_profile

VALUES = {"aws_access_key_id": "ASIANEW", "aws_session_token": "t/o+k=e%n", "mfawatch_expires": "2026-06-01T12:00:00"}
OTHERS = {"aws_access_key_id": "ASIANEXT", "aws_session_token": "other", "mfawatch_expires": "2026-06-02T12:00:00"}

PUT = "aws_access_key_id = ASIANEW\naws_session_token = t/o+k=e%n\nmfawatch_expires = 2026-06-01T12:00:00\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[me-mfa]\n{PUT}"),
        ("# mine\n[me]\nx = 1", f"# mine\n[me]\nx = 1\n\n[me-mfa]\n{PUT}"),
        ("[me]\nx = 1\n\n\n", f"[me]\nx = 1\n\n\n[me-mfa]\n{PUT}"),
        ("[me]\r\nx = 1\r\n", "[me]\r\nx = 1\r\n\r\n[me-mfa]\r\n" + PUT.replace("\n", "\r\n")),
        (
            "[me-mfa]\n; note\nregion = r\nAWS_Access_Key_Id: OLD\n  goes on\n# end\n\n[me]\nx = 1\n",
            "[me-mfa]\n; note\nregion = r\naws_access_key_id = ASIANEW\naws_session_token = t/o+k=e%n\n"
            "mfawatch_expires = 2026-06-01T12:00:00\n# end\n\n[me]\nx = 1\n",
        ),
        ("[me]\ns3 =\n  a = 1\n  [me-mfa]\n", f"[me]\ns3 =\n  a = 1\n  [me-mfa]\n\n[me-mfa]\n{PUT}"),
        ("[DEFAULT]\nregion = r\n", f"[DEFAULT]\nregion = r\n\n[me-mfa]\n{PUT}"),
    ],
)
def test_the_profile_is_put_where_it_belongs(before: str, after: str) -> None:
    assert with_profile(before, "me-mfa", VALUES) == after


SECRET = "wJalrXUtnFEMI"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"{SECRET}\n", "line 1"),
        (f"[me]\n{SECRET}\n", "line 2"),
        (f"[me]\n[me]\nx = {SECRET}\n", "line 2"),
        (f"[me]\nx = {SECRET}\nx = {SECRET}\n", "line 3"),
        ("\ufeff[me]\n", "line 1"),
    ],
)
def test_what_the_aws_cli_cannot_read_is_refused_by_its_line_alone(text: str, place: str) -> None:
    with pytest.raises(ProfileError, match=rf"^is not as the AWS CLI reads it: {place}$"):
        with_profile(text, "me-mfa", VALUES)


# --- whatever stands around it ---------------------------------------------------------------------------------------

ends = st.sampled_from(["\n", "\r\n", "\r"])
indents = st.sampled_from(["", " ", "   ", "\t"])
words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=8)
names = st.text("abxyzü _", min_size=1, max_size=5)
headers = st.builds("{}[{}]".format, indents, st.one_of(st.just("me-mfa"), st.just("profile a]b"), names))
set_to = st.builds(
    "{}{} {} {}".format, indents, st.one_of(st.just("aws_session_token"), names), st.sampled_from("=:"), words
)
remarks = st.one_of(st.builds("{}{}{}".format, indents, st.sampled_from("#;"), words), indents)
pieces = st.one_of(headers, set_to, set_to, remarks)
texts = st.builds(
    "{}{}".format,
    st.builds("{}{}".format, headers, ends),
    st.lists(st.builds("{}{}".format, st.one_of(pieces, pieces, pieces, words), ends), max_size=12).map("".join),
)


def parsed(text: str) -> dict[str, dict[str, str]] | None:
    """The profiles of a text; None where it is refused, as whoever would put one into it is."""
    try:
        return profiles_of(text)
    except ProfileError:
        with pytest.raises(ProfileError):
            with_profile(text, "me-mfa", VALUES)
        return None


@given(text=texts, last=words)
@example(text="   [me-mfa]\n    [me]\n", last="")
@example(text="[me-mfa]\n  x = 1\n  [me]\n", last="")
@example(text="[me-mfa]\nx = 1\n  [me]\n\n", last="")
@example(text="[me-mfa]\rx=\n\n", last="")
@example(text="[me-mfa]\naws_session_token=1\n 2\r\n\n", last="")
@example(text="[me]\n\r", last="")
def test_all_else_stays_byte_for_byte(text: str, last: str) -> None:
    text += last
    before = parsed(text)
    if before is None:
        return
    once = with_profile(text, "me-mfa", VALUES)
    assert profiles_of(once) == before | {"me-mfa": before.get("me-mfa", {}) | VALUES}
    if "me-mfa" not in before:
        assert once.startswith(text)
    # Whatever of it is ours is replaced the next time, in as many lines; around it nothing moves.
    twice = with_profile(once, "me-mfa", OTHERS)
    moved = twice
    for key, value in OTHERS.items():
        moved = moved.replace(f"{key} = {value}", f"{key} = {VALUES[key]}")
    assert moved == once


@given(text=texts)
def test_in_a_profile_that_is_there_every_other_line_stays(text: str) -> None:
    """Of the profile's own settings those lines go that are replaced."""
    text = f"# first\n[me-mfa]\nregion = r\n{PUT}# behind\n\n[other]\nx = 1\n{text}"
    if parsed(text) is None:
        return
    changed = with_profile(text, "me-mfa", OTHERS)
    expected = text
    for key, value in OTHERS.items():
        expected = expected.replace(f"{key} = {VALUES[key]}", f"{key} = {value}", 1)
    assert changed == expected
