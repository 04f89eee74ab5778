"""A file of SQLite that its owner alone can read, and that many may use at once."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

WAIT = 30.0
"""Seconds for which one writer waits for another."""
_APPLICATION, _HEADER = 68, 72
"""Where a file of SQLite says whose it is, from and to (SQLite, "Database File Format")."""


@dataclass(frozen=True)
class Kind:
    """What a file holds, and how it is known."""

    name: str
    """As it is told: no ledger."""
    application: int
    """Marks such a file: four letters as a number."""
    version: int
    schema: str
    error: type[ValueError]
    """What is raised for a file that is something else."""
    older: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Version → what makes a file of that version one of this."""


class SqliteFile:
    """A file that is made where there is none. Without `create` one that is not there, or empty, stays as it is.

    One object is for one thread; several, in one process or in many, may share the file.

    Raises:
        ValueError: the error of its kind: the file is something else, or was made by a later version.
        OSError: it cannot be opened.
    """

    kind: ClassVar[Kind]

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self._path = path
        self._create = create
        # The file is made before SQLite opens it: SQLite would leave it to the umask. Its -wal and -shm follow suit.
        descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
        try:
            if create and self._may_become(os.pread(descriptor, _HEADER, 0)):
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
        self._connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self.close()
            raise self.kind.error(f"{path}: {error}") from None
        except self.kind.error:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        """Make the tables in a new file, and know an old one."""
        with self._transaction():
            application, version = self._pragma("application_id"), self._pragma("user_version")
            tables = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            kind = self.kind
            if not tables and not self._create:
                raise kind.error(f"{self._path}: is empty, and no {kind.name}")
            if not tables:
                self._become(kind.schema.split(";\n"))
                self._connection.execute(f"PRAGMA application_id = {kind.application}")
            elif application != kind.application:
                raise kind.error(f"{self._path}: is a database, and no {kind.name}")
            elif version in kind.older:
                self._become(kind.older[version])
            elif version != kind.version:
                raise kind.error(
                    f"{self._path}: is a {kind.name} of version {version}, this is mfawatch for {kind.version}"
                )
        # Readers and a writer then do not wait for each other. It takes a moment in which nobody else uses the file;
        # without one the file stays as it is, as safe as before, until somebody opens it the next time.
        with suppress(sqlite3.OperationalError):
            self._connection.execute("PRAGMA journal_mode = WAL")

    def _may_become(self, header: bytes) -> bool:
        """Whether a file that begins so is of this kind, or will be: who may read any other is for others to say."""
        return not header or header[_APPLICATION:_HEADER] == self.kind.application.to_bytes(4, "big")

    def _become(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self._connection.execute(statement)
        self._connection.execute(f"PRAGMA user_version = {self.kind.version}")

    def _all(self, select: str, *values: str) -> Sequence[sqlite3.Row]:
        return self._connection.execute(select, values).fetchall()

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
