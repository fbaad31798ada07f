"""In by the front door: from a link to a web app that answers, by the Playground route, as a newcomer types it. `benches/front_door.py` times it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.factories.waiting import until
from tests.journeys.test_sessions import ask
from tests.servers.factory import COMMAND, clean_environment, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(200)]

SAID = (
    "aim=compute",
    "who=forming",
    "country=nl",
    "data=open",
    "purpose=civilian",
    "use=develop",
    "gpu_hours=100",
    "experience=new",
)


def test_a_newcomer_needs_four_commands(tmp_path: Path) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    me = tmp_path / "newcomer"
    me.mkdir()

    def types(*words: str) -> str:
        named = clean_environment(me / "none") | {"HOME": str(me)}
        done = subprocess.run([*COMMAND, *words], env=named, capture_output=True, text=True, check=False, timeout=150)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with quickstarted(tmp_path / "home") as factory:
        hours = ("--hours", "gpu_hour=500", "--hours", "cpu_hour=50000", "--hours", "expert_hour=50")
        for words in (
            ("org", "create", "Klank", "--kind", "startup"),
            ("funding", "contribute", "quickstart", "--kind", "private", "--euro", "1", *hours),
            ("org", "invite", "klank", "--name", "Noor", "--email", "noor@klank.example", "--json"),
        ):
            done = factory.run(*words)
            assert done.returncode == 0, done.stderr
        types("login", "--url", factory.url, "--link", json.loads(done.stdout)["link"])
        found = json.loads(types("apply", "guide", "--json", *(f"--answer={one}" for one in SAID)))
        assert found["route"]["name"] == "playground"
        assert [one["name"] for one in found["answered"]] == [one.partition("=")[0] for one in SAID]
        form = [f"--answer={name}={value}" for name, value in found["route"]["carries"].items()]
        form += [
            "--answer=title=First steps",
            "--answer=summary=Sounds.",
            "--answer=months=1",
            "--answer=data=Our own.",
        ]
        filed = json.loads(types("apply", "new", found["route"]["call"], "--json", *form))
        assert (filed["state"], filed["answers"]["gpu_hours"]) == ("awarded", 100)
        serve = ("--", "python", "-m", "http.server", "--bind", "127.0.0.1", "8000")
        door = json.loads(
            types("session", "start", "app", "--project", filed["project"], "--port", "8000", "--json", *serve)
        )
        cookie = ask(door["url"], f"/.fabriek/enter?code={door['code']}")[1]["set-cookie"].partition(";")[0]
        until(lambda: ask(door["url"], "/", Cookie=cookie)[0] == 200)
        types("session", "stop", door["job"], "--project", filed["project"])
        until(
            lambda: (
                json.loads(types("job", "show", door["job"], "--project", filed["project"], "--json"))["state"]
                == "cancelled"
            )
        )
