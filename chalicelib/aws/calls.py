"""Counts the calls that clients make of AWS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Any


class CallCounter:
    """Calls by service and operation, as `iam:ListMFADevices`. Clients may call from several threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def watch(self, client: Any) -> None:
        """Count the calls of a boto3 client from now on; a call that is tried again counts once."""
        client.meta.events.register("before-call", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        with self._lock:
            self._counts[f"{model.service_model.service_name}:{model.name}"] += 1

    def so_far(self) -> Mapping[str, int]:
        """The counts up to now."""
        with self._lock:
            return dict(self._counts)

    def since(self, before: Mapping[str, int]) -> dict[str, int]:
        """What has been added to counts taken before."""
        return dict(sorted((Counter(self.so_far()) - Counter(before)).items()))
