"""The policy is changed by commands: Defence asks for a fifth, whoever loses by it signs, and until the day comes nothing moves."""

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

from fabriek.kernel.clock import SystemClock
from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted

FIFTH = '[[part]]\nfunder = "defence"\npart = 0.20\nvalid_from = {day}\nsource = "letter of the minister"\n'


def test_defence_asks_for_a_fifth_and_those_who_lose_by_it_sign(tmp_path: Path) -> None:
    with quickstarted(tmp_path / "home") as factory:

        def said(*arguments: str) -> Any:
            done = factory.run(*arguments, "--json")
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        for name, kind, euro in (("Ministry", "national", 5_000), ("Defence", "defence", 500)):
            said("org", "create", name, "--kind", "funder")
            said("funding", "contribute", name.lower(), "--kind", kind, "--euro", str(euro), "--hours", "gpu_hour=100")
        invited = said("org", "invite", "ministry", "--email", "m@ministry.example", "--role", "funder", "--name", "M.")
        assert theirs(factory, "login", "--link", invited["link"], "--name", "M.").returncode == 0
        before = said("funding", "shares")
        bills = said("funding", "entries")
        day = SystemClock().today() + timedelta(days=1)
        file = tmp_path / "fifth.toml"
        file.write_text(FIFTH.format(day=day - timedelta(days=1)))
        late = factory.run("funding", "policy", "propose", str(file), "--motive", "the letter")
        assert (late.returncode, "no bill of the past changes" in late.stderr) == (2, True)
        file.write_text(FIFTH.format(day=day))
        shown = factory.run("funding", "policy", "propose", str(file), "--motive", "the letter")
        assert shown.returncode == 0, shown.stderr
        assert "ministry signs: its part of the machine falls from" in shown.stdout
        (made,) = said("funding", "policy", "proposals")
        assert (made["state"], made["missing"]) == ("proposed", ["ministry", "quickstart"])
        effect = {one["funder"]: (one["part_before"], one["part_after"]) for one in made["effects"]}
        assert effect["defence"][1] == 200_000
        other = theirs(factory, "funding", "policy", "sign", made["id"], "--digest", "0" * 64)
        assert (other.returncode, "not what is proposed" in other.stderr) == (6, True)
        signed = theirs(factory, "funding", "policy", "sign", made["id"])
        assert "signed for ministry by M." in signed.stdout, signed.stderr
        assert said("funding", "policy", "sign", made["id"])["state"] == "signed"
        again = theirs(factory, "funding", "policy", "sign", made["id"])
        assert again.returncode == 6
        assert said("funding", "shares") == before
        assert said("funding", "entries") == bills
        today = {one["name"] for one in said("funding", "policy", "show")["rows"]}
        then = {one["name"]: one["says"] for one in said("funding", "policy", "show", "--on", str(day))["rows"]}
        assert "part defence" not in today
        assert then["part defence"] == "20 % of the machine"


def theirs(factory: Running, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command of the ministry's, from a home of their own."""
    environment = clean_environment(factory.home) | {"FABRIEK_CONTEXT": str(factory.home.parent / "theirs.json")}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
