"""What the exemptions from an MFA deny let through: Git, the rest of CodeCommit, and KMS keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.analysis.key_policies import as_key_policies_say, by_key_policies
from chalicelib.analysis.origins import DIRECT, FALSE, GIT_SERVICE, SERVICES, VIA_SERVICE, Origin
from chalicelib.analysis.scopes import cryptographic, key_administration, unguarded
from chalicelib.analysis.shared import UserSurface
from chalicelib.analysis.surface import Answer, Entry
from chalicelib.analysis.universe import Actions, carrying


@dataclass(frozen=True, slots=True)
class KeyExceptions:
    """How KMS keys can be used without MFA: directly, through services other than CodeCommit, and administered."""

    direct: tuple[Entry, ...] = ()
    services: tuple[Entry, ...] = ()
    administration: tuple[Entry, ...] = ()
    untried: str = ""
    """Why not everything was tried; empty where it was."""

    @property
    def any(self) -> bool:
        """Whether there is an exception at all."""
        return bool(self.direct or self.services or self.administration)


def key_exceptions(surface: UserSurface, guarded: Sequence[Origin], *, denied: bool) -> KeyExceptions:
    """The exceptions for keys; `guarded` are the origins for which MFA is asked otherwise.

    `denied` says that a deny asks for it: one that spares KMS then spares the AWS managed keys too, which every user of
    the account can use through their services unless a deny says no. Where MFA is not asked for, what the user's own
    policies leave open of keys is no exception; what the policies of keys do is one if nothing else is open.
    """
    services = (SERVICES,) if FALSE in guarded else ()
    # An action whose requests never say which service made them is none that a service makes.
    forwarded = (cryptographic() | key_administration()) & carrying(VIA_SERVICE)
    through = _with_key_policies(surface, surface.entries(forwarded, services, managed=denied), forwarded, services)
    free = _free(surface, guarded)
    direct, administration = (
        _with_key_policies(surface, surface.entries(scope, guarded), scope, (*guarded, *free))
        for scope in (cryptographic(), key_administration())
    )
    return KeyExceptions(
        direct=direct.entries,
        services=tuple(entry for entry in through.entries if entry.origin.via != GIT_SERVICE),
        administration=administration.entries,
        untried=through.untried or direct.untried or administration.untried,
    )


def _free(surface: UserSurface, guarded: Sequence[Origin]) -> tuple[Origin, ...]:
    """The origins for which MFA is not asked, where nothing but what the policies of keys allow is open to them."""
    others = tuple(origin for origin in DIRECT if origin not in guarded)
    found = by_key_policies(surface, cryptographic() | key_administration(), others)
    if not found.entries and not found.untried:
        return ()
    return () if surface.gravest({origin: unguarded() for origin in others}).entries else others


def _with_key_policies(surface: UserSurface, answer: Answer, within: Actions, origins: Sequence[Origin]) -> Answer:
    """The answer as the policies of the keys that were read have it, with what they allow by themselves."""
    entries, untried = as_key_policies_say(surface, answer.entries)
    more = by_key_policies(surface, within, origins)
    return Answer((*entries, *more.entries), answer.untried or untried or more.untried)
