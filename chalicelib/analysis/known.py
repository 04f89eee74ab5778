"""Statements that the known part of a request settles: whoever makes it, in whichever MFA state, through which service.

What is known of every request of a caller and an origin leaves nothing to choose: a deny that looks at nothing else
holds for all of them or for none.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.analysis.origins import Origin
from chalicelib.iam.conditions import Condition
from chalicelib.iam.request import MFA_KEYS
from chalicelib.iam.statement import Effect, Statement

_OWN = (
    "aws:principalaccount", "aws:principalarn", "aws:principalisawsservice", "aws:principaltag/", "aws:principaltype",
    "aws:username",
)  # fmt: skip
"""How the keys begin that say who the caller is; one that the caller lacks is absent for good."""


class Known:
    """The condition keys that no request of a caller and an origin can choose.

    `region` is where the request is made, if that is known: kms:ViaService holds it. `free` says how those of the keys
    begin that can be chosen although most callers cannot.
    """

    def __init__(self, own: Mapping[str, str], origin: Origin, region: str = "", free: tuple[str, ...] = ()) -> None:
        self._free = free
        settled = origin.settled(region)
        self._absent = frozenset(key for key, value in settled.items() if value is None)
        present = {key: value for key, value in settled.items() if value is not None}
        self._context: dict[str, str] = {**own, **origin.mfa.context, **present}

    def _tells(self, condition: Condition) -> bool:
        return not any(key.startswith(self._free) for key in condition.keys) and all(
            key in self._context or key in self._absent or key in MFA_KEYS or key.startswith(_OWN)
            for key in condition.keys
        )

    def denies(self, statement: Statement) -> bool:
        """Whether the statement is a deny whose conditions hold by every reading, whatever a request chooses."""
        return statement.effect is Effect.DENY and all(
            self._tells(condition) and condition.readings(self._context).least for condition in statement.conditions
        )

    def excludes(self, statement: Statement) -> bool:
        """Whether a condition of the statement holds by no reading, whatever a request chooses."""
        return any(
            self._tells(condition) and not condition.readings(self._context).most for condition in statement.conditions
        )
