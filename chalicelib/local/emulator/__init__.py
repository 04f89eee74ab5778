"""An AWS on loopback: moto's server, with what it lacks of the calls that mfawatch makes.

moto is imported nowhere else. Each module here that changes moto says why, adds an operation only where moto has none,
and takes back what it changed when the emulator ends. Needs the extra `demo`.
"""

from chalicelib.local.emulator.facts import Facts, facts_of
from chalicelib.local.emulator.fill import fill
from chalicelib.local.emulator.server import ACCOUNT, emulator, session_of
from chalicelib.local.emulator.transactions import cheap_transactions

__all__ = ["ACCOUNT", "Facts", "cheap_transactions", "emulator", "facts_of", "fill", "session_of"]
