"""Somebody of another organisation is invited, vouched for, comes in, and leaves, by the command line alone."""

import json
import subprocess
from pathlib import Path

from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted


def test_a_newcomer_is_invited_vouched_for_works_and_leaves(tmp_path: Path) -> None:
    with quickstarted(tmp_path / "home") as factory:

        def said(*arguments: str) -> dict[str, str]:
            done = factory.run(*arguments, "--json")
            assert done.returncode == 0, done.stderr
            found: dict[str, str] = json.loads(done.stdout)
            return found

        said("org", "create", "Hospital", "--kind", "hospital")
        invited = factory.run("project", "invite", "p.jansen@hospital.example", "--organisation", "hospital")
        assert "fabriek login --link" in invited.stdout
        assert "this installation sends no mail" in invited.stdout
        again = said("project", "invite", "p.jansen@hospital.example", "--organisation", "hospital")
        as_them = ("--link", again["link"], "--name", "P. Jansen")
        old = next(word for word in invited.stdout.split() if "/invitations/" in word)
        assert theirs(factory, "login", "--link", old).returncode == 3
        assert theirs(factory, "login", *as_them).returncode == 0
        assert "playground" in theirs(factory, "project", "ls").stdout
        assert theirs(factory, "project", "invite", "x@hospital.example").returncode == 5
        refused = theirs(factory, "org", "appoint", "p.jansen@hospital.example", "--role", "administrator")
        assert refused.returncode == 5
        last = factory.run("org", "leave", "you@localhost", "--why", "gone")
        assert (last.returncode, "keeps an administrator" in last.stderr) == (6, True)
        left = said("org", "leave", "p.jansen@hospital.example", "--why", "contract ended")
        assert left["closed_at"]
        assert theirs(factory, "whoami").returncode == 4
        assert said("org", "return", "p.jansen@hospital.example")["email"] == "p.jansen@hospital.example"
        assert theirs(factory, "whoami").returncode == 4


def theirs(factory: Running, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command of the newcomer's, from a home of their own."""
    environment = clean_environment(factory.home) | {"FABRIEK_CONTEXT": str(factory.home.parent / "theirs.json")}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
