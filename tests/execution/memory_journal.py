"""A journal as it should be, the simplest there is: in memory, runs as JSON, each version once, steps under a hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock

from chalicelib.alerts.entry import Entry
from chalicelib.execution.ports import lost_hold, moved_on
from chalicelib.remediation.run import RemediationRun, RunStep, is_name, parse_run, parse_run_step


@dataclass(frozen=True)
class Hold:
    """Who holds an account, for which run, until when."""

    holder: str
    run: str
    until: datetime


@dataclass
class MemoryJournal:
    """A `Journal`. `entries` is what came into the outbox, in order; `writes` counts what was written."""

    entries: list[Entry] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    writes: int = 0
    _headers: dict[tuple[str, str], str] = field(default_factory=dict)
    _steps: dict[tuple[str, str, int], str] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock)

    def keep(self, run: RemediationRun, entries: Sequence[Entry] = ()) -> bool:
        """See `Journal`."""
        if not is_name(run.account, run.id):
            raise ValueError(f"no run can be called {run.account}/{run.id}")
        with self._lock:
            if (run.account, run.id) in self._headers:
                return False
            for step in run.steps:
                self._put_step(run, step)
            self._put(run, entries)
            return True

    def load(self, account: str, id_: str) -> RemediationRun | None:
        """See `Journal`."""
        with self._lock:
            return self._load(account, id_)

    def runs(self, account: str, since: datetime) -> Sequence[RemediationRun]:
        """See `Journal`."""
        with self._lock:
            found = [parse_run(json.loads(text), ()) for key, text in self._headers.items() if key[0] == account]
        return sorted((run for run in found if run.made >= since), key=lambda run: run.id, reverse=True)

    def move(self, run: RemediationRun, entries: Sequence[Entry] = (), holder: str | None = None) -> bool:
        """See `Journal`."""
        with self._lock:
            if holder is not None:
                self._check(run.account, holder)
            before = self._load(run.account, run.id)
            if before is None or before.version != run.version - 1:
                return False
            self._put(run, entries)
            return True

    def note(self, run: RemediationRun, step: RunStep, holder: str) -> None:
        """See `Journal`."""
        with self._lock:
            self._check(run.account, holder)
            there = self.load(run.account, run.id)
            if there is None or there.version != run.version:
                raise moved_on(run.id)
            self._put_step(run, step)
            self.writes += 1

    def hold(self, account: str, holder: str, run: str, until: datetime, now: datetime) -> str | None:
        """See `Journal`."""
        with self._lock:
            held = self.holds.get(account)
            if held and held.holder != holder and held.until > now:
                return held.run
            self.holds[account] = Hold(holder, run, until)
            return None

    def release(self, account: str, holder: str) -> None:
        """See `Journal`."""
        with self._lock:
            held = self.holds.get(account)
            if held and held.holder == holder:
                del self.holds[account]

    def seen(self) -> tuple[object, ...]:
        """All that it holds, to be compared with what it holds later."""
        with self._lock:
            return dict(self._headers), dict(self._steps), dict(self.holds), list(self.entries)

    def _load(self, account: str, id_: str) -> RemediationRun | None:
        header = self._headers.get((account, id_))
        if header is None:
            return None
        steps = [text for key, text in self._steps.items() if key[:2] == (account, id_)]
        return parse_run(json.loads(header), [parse_run_step(json.loads(step)) for step in steps])

    def _check(self, account: str, holder: str) -> None:
        held = self.holds.get(account)
        if held is None or held.holder != holder:
            raise lost_hold(account, held.holder if held else None, held.run if held else None)

    def _put(self, run: RemediationRun, entries: Sequence[Entry]) -> None:
        self._headers[run.account, run.id] = json.dumps(replace(run, steps=()).header())
        self.entries += entries
        self.writes += 1

    def _put_step(self, run: RemediationRun, step: RunStep) -> None:
        self._steps[run.account, run.id, step.number] = json.dumps(step.to_json())
