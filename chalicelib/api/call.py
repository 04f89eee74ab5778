"""A request that somebody was let in with, as the views have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from chalicelib.api.callers import Caller
from chalicelib.api.problems import Problem
from chalicelib.api_settings import EVERY
from chalicelib.hub import Hub
from chalicelib.sweep import accounts_to_sweep

CALL = "call"
"""Under what the edge hands it on."""


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, and what answers."""

    hub: Hub
    known: Caller | None
    """Who asks; None of a route that is open."""
    document: Callable[[], Mapping[str, Any]]
    """Makes the OpenAPI document."""

    @property
    def caller(self) -> Caller:
        """Who asks.

        Raises:
            Problem: nobody said so.
        """
        if self.known is None:
            raise Problem(HTTPStatus.FORBIDDEN, "the request is signed by nobody that AWS names", "not-signed")
        return self.known

    def accounts(self) -> list[str]:
        """The accounts that the caller may ask about, as far as they are known without asking for one."""
        named = {account for grant in self.caller.grants for account in grant.accounts if account != EVERY}
        if any(EVERY in grant.accounts for grant in self.caller.grants):
            hub = self.hub
            named.update(accounts_to_sweep(hub.settings, hub.identity.account, hub.members))
        return sorted(named)

    def check_seen(self, account: str) -> None:
        """That the caller may read of an account; of any other it is as if there were none.

        Raises:
            Problem: they may not.
        """
        if not self.caller.may_see(account):
            raise Problem(HTTPStatus.NOT_FOUND, f"nothing is known of account {account}", "unknown")

    def check_asked(self, account: str) -> None:
        """That the caller may have something done about an account that changes nothing in it.

        Raises:
            Problem: they may not.
        """
        if not self.caller.may_see(account):
            raise Problem(HTTPStatus.FORBIDDEN, f"you may not ask about account {account}", "not-granted")

    def check_decided(self, account: str) -> None:
        """That the caller may decide something about an account.

        Raises:
            Problem: they may not.
        """
        self.check_asked(account)
        if not self.caller.may_change(account):
            raise Problem(HTTPStatus.FORBIDDEN, f"you may decide nothing about account {account}", "not-granted")


def the_call(request: Request) -> Call:
    """The one that is answered now."""
    found: Call = request.context[CALL]
    return found


Asking = Annotated[Call, Depends(the_call)]
"""The parameter of a view that is given it; no caller can."""
