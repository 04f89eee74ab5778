"""Who may ask the API about which accounts: how it is written, and what is refused."""

from __future__ import annotations

import pytest

from chalicelib.api_settings import EVERYTHING, ApiSettings, Grant
from chalicelib.config import SettingsError, parse_settings

GRANT = '[[api.access]]\nprincipals = ["arn:aws:iam::111122223333:role/a"]\naccounts = '
ROLE = "arn:aws:iam::111122223333:role/a"


def test_without_the_table_whoever_is_let_in_may_ask_about_everything() -> None:
    for text in ("", "[api]"):
        assert parse_settings(text).api == ApiSettings()
        assert parse_settings(text).api.grants_of(ROLE) == (EVERYTHING,)


def test_with_it_those_alone_that_it_names() -> None:
    settings = parse_settings(f'{GRANT}["*"]\n{GRANT}["222222222222"]\nwrite = true').api
    assert settings.access == (
        Grant(frozenset({"*"}), (ROLE,)),
        Grant(frozenset({"222222222222"}), (ROLE,), write=True),
    )
    assert settings.grants_of(ROLE) == settings.access
    assert settings.grants_of(f"{ROLE}b") == ()


def test_an_empty_table_grants_nothing_to_anybody() -> None:
    assert parse_settings("[api]\naccess = []").api.grants_of(ROLE) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[api]\nacces = []", 'line 2: api.acces: unknown key; did you mean "access"?'),
        ("[[api.access]]", "line 1: api.access[0].principals: is missing"),
        (f"{GRANT}[]", "line 3: api.access[0].accounts: must not be empty"),
        (f'{GRANT}["1"]', 'line 3: api.access[0].accounts[0]: must be an account id, 12 digits, or "*", not "1"'),
        (f'{GRANT}["*"]\nwrite = "yes"', "line 4: api.access[0].write: must be true or false"),
        (
            '[[api.access]]\nprincipals = ["*"]\naccounts = ["*"]',
            "line 2: api.access[0].principals[0]: must be the ARN of a user, or of a role without its path",
        ),
        (
            '[[api.access]]\nprincipals = ["arn:aws:sts::111122223333:assumed-role/a/b"]\naccounts = ["*"]',
            "line 2: api.access[0].principals[0]: must be the ARN of a user, or of a role without its path",
        ),
    ],
)
def test_what_is_refused(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(text)
    assert str(refused.value).startswith(told)
