"""mfawatch surface: all that a user can do without MFA, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.accounts import DEMO
from tests.accounts.build import ADMIN, GUARD, Person, allow, deny_all_but, document, exports
from tests.cli.conftest import Run, demo_options, write_exports


def surface(run: Run, folder: Path, person: Person) -> str:
    """The text for alice."""
    done = run("surface", *write_exports(exports(person), folder), "--user", "alice")
    assert (done.code, done.err) == (0, "")
    return done.out


def test_tells_services_levels_resources_and_credentials(run: Run) -> None:
    out = run("surface", *demo_options(DEMO), "--user", "mateo").out
    assert out.startswith("arn:aws:iam::111122223333:user/mateo, without MFA, by console session without MFA, SSH key:")
    assert "  codecommit\n    Read: GitPull\n      on arn:aws:codecommit:eu-west-1:111122223333:*; always" in out
    assert "on AWS managed keys; always; by codecommit acting for the user" in out
    assert "s3 acting" not in out


def test_many_services_stand_as_one(run: Run, tmp_path: Path) -> None:
    out = surface(run, tmp_path, Person(inline=[ADMIN]))
    assert " services\n" in out
    assert len(out.splitlines()) < 60


def test_tells_what_a_request_needs(run: Run, tmp_path: Path) -> None:
    when = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    out = surface(run, tmp_path, Person(inline=[document(allow("s3:GetObject", when=when))]))
    assert "with aws:sourceip = 203.0.113.0" in out


def test_of_whom_nothing_is_open_says_so(run: Run, tmp_path: Path) -> None:
    out = surface(run, tmp_path, Person(inline=[document(deny_all_but("iam:GetUser"))]))
    assert "  nothing\n" in out
    assert "acting for the user" not in out


def test_without_credentials_there_is_no_request(run: Run, tmp_path: Path) -> None:
    out = surface(run, tmp_path, Person(inline=[ADMIN], keys=("false", "false")))
    assert "nothing: there is no credential" in out


def test_every_entry_of_the_json_is_allowed_by_explain(run: Run, tmp_path: Path) -> None:
    files = write_exports(exports(Person(inline=[ADMIN, GUARD])), tmp_path)
    found = run("surface", *files, "--user", "alice", "--format", "json").json
    assert found["exhaustive"] is True
    assert found["entries"]
    for entry in found["entries"]:
        context = [f"--context={key}={value}" for key, value in entry["context"].items()]
        told = run(
            "explain", *files, "--user=alice", f"--action={entry['actions'][0]}", f"--resource={entry['resource']}",
            f"--mfa={entry['mfa']}", *context, "--format=json",
        )  # fmt: skip
        assert json.loads(told.out)["decision"] == "Allowed", entry


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_user_who_is_not_there(style: str, run: Run) -> None:
    run("surface", *demo_options(DEMO), "--user", "nobody", "--format", style).assert_refused("'nobody'")
