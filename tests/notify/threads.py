"""Threads in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.ports import Thread


@dataclass
class MemoryThreads:
    """A `Threads` that forgets with the process."""

    kept: dict[tuple[str, str, str], Thread] = field(default_factory=dict)

    def find(self, destination: str, account: str, fingerprint: str) -> Thread | None:
        return self.kept.get((destination, account, fingerprint))

    def keep(self, destination: str, account: str, fingerprints: Sequence[str], thread: Thread) -> None:
        self.kept |= {(destination, account, fingerprint): thread for fingerprint in fingerprints}


class BrokenThreads:
    """A `Threads` whose store is down."""

    def find(self, destination: str, account: str, fingerprint: str) -> Thread | None:
        raise RuntimeError("the store is down")

    def keep(self, destination: str, account: str, fingerprints: Sequence[str], thread: Thread) -> None:
        raise RuntimeError("the store is down")
