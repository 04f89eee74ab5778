"""The shared credentials file: one profile is written, all or nothing, and no other writer's work is lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from chalicelib.local import credentials_file
from chalicelib.local.credentials_file import read_profiles, write_profile
from chalicelib.local.profile_text import ProfileError

MINE = b"# \xff mine\r\n[me]\r\naws_access_key_id=AKIA\r\n"
SETTINGS = {"aws_access_key_id": "ASIA"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    path.write_bytes(MINE)
    path.chmod(0o644)
    return path


def put(path: Path, name: str = "me-mfa") -> None:
    write_profile(path, name, lambda _: SETTINGS)


def test_what_was_there_stays_and_the_file_is_its_owners_alone(path: Path) -> None:
    put(path)
    assert path.read_bytes() == MINE + b"\r\n[me-mfa]\r\naws_access_key_id = ASIA\r\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_file_and_its_folder_are_made(tmp_path: Path) -> None:
    path = tmp_path / ".aws" / "credentials"
    assert read_profiles(path) == {}
    put(path)
    assert read_profiles(path) == {"me-mfa": SETTINGS}
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_link_stays_one_and_what_it_leads_to_is_written(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    put(link)
    assert link.is_symlink()
    assert read_profiles(path)["me-mfa"] == SETTINGS


def test_what_no_profile_can_be_put_into_is_left_alone(path: Path) -> None:
    path.write_bytes(b"no profile\n")
    with pytest.raises(ProfileError, match="line 1"):
        put(path)
    assert path.read_bytes() == b"no profile\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        put(path)
    assert path.read_bytes() == MINE
    assert list(path.parent.iterdir()) == [path]


def test_a_file_of_somebody_else_stays_theirs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    owner = path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    put(path)
    assert given == [(owner, -1)]


def test_many_writers_at_once_lose_nothing(path: Path) -> None:
    names = [f"me-{number}" for number in range(24)]
    barrier = threading.Barrier(len(names))

    def write(name: str) -> None:
        barrier.wait()
        put(path, name)

    threads = [threading.Thread(target=write, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(read_profiles(path)) == {"me", *names}
    assert path.read_bytes().startswith(MINE)
    assert list(path.parent.iterdir()) == [path]


def test_what_another_program_writes_meanwhile_is_not_lost(path: Path) -> None:
    asked: list[Mapping[str, Mapping[str, str]]] = []

    def decide(profiles: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        asked.append(profiles)
        if len(asked) == 1:
            path.write_bytes(MINE + b"[theirs]\r\n")
        return SETTINGS

    write_profile(path, "me-mfa", decide)
    assert [set(profiles) for profiles in asked] == [{"me"}, {"me", "theirs"}]
    assert set(read_profiles(path)) == {"me", "theirs", "me-mfa"}


def test_a_file_that_is_changed_all_the_time_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials_file, "_ROUNDS", 3)
    asked: list[int] = []

    def decide(_: object) -> Mapping[str, str]:
        asked.append(len(asked))
        path.write_bytes(b"[me]\nx = %d\n" % len(asked))
        return SETTINGS

    with pytest.raises(ProfileError, match="again and again"):
        write_profile(path, "me-mfa", decide)
    assert path.read_bytes() == b"[me]\nx = 3\n"
