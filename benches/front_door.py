"""From an empty account to a running notebook by the Playground route, as a newcomer types it: real server, real commands, a fresh home.

`python -m benches.front_door`. Promised: at most 10 minutes and at most 8 commands. Counted is what the newcomer types; what the operator
does before anybody comes (start the factory, bring a share, invite) is said and not counted. Of the one-time link and the notebook's
address the newcomer types nothing: they are clicked.
"""

import http.client
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.factory import COMMAND, Running, clean_environment, quickstarted, why_no_jobs

MINUTES_MAX = 10
COMMANDS_MAX = 8
OPERATORS = 4
ANSWERED = (
    "aim=compute", "who=forming", "country=nl", "data=open", "purpose=civilian", "use=develop", "gpu_hours=100", "experience=new",
)  # fmt: skip
FORM = ("title=First steps", "summary=A classifier of sounds.", "months=1", "data=Recordings of our own.")


class Newcomer:
    """Somebody with a shell and a home of their own, whose commands are counted and timed."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self._environment = clean_environment(home / "none") | {"HOME": str(home)}
        self.commands, self.seconds = 0, 0.0

    def types(self, *words: str) -> str:
        """What it printed. Raises AssertionError where it was refused."""
        begun = time.perf_counter()
        done = subprocess.run(
            [*COMMAND, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60 * MINUTES_MAX,
        )
        took = time.perf_counter() - begun
        assert done.returncode == 0, done.stderr
        self.commands, self.seconds = self.commands + 1, self.seconds + took
        shown = " ".join(f"'{word}'" if " " in word else word for word in words)
        print(f"{took:7.1f} s  {self.commands}. fabriek {shown}")
        return done.stdout

    def leaves(self, job: str, project: str) -> None:
        """Stops the session and waits for its end; neither counted nor timed."""
        for words in (("session", "stop", job), ("job", "follow", job)):
            argv = [*COMMAND, *words, "--project", project]
            subprocess.run(argv, env=self._environment, capture_output=True, check=False, timeout=60)

    def waits(self, what: str, until: Callable[[], bool]) -> None:
        begun = time.perf_counter()
        while not until():
            assert time.perf_counter() - begun < 60 * MINUTES_MAX, f"never: {what}"
            time.sleep(0.05)  # a bench has no clock to wind
        took = time.perf_counter() - begun
        self.seconds += took
        print(f"{took:7.1f} s     {what}")


def main() -> int:
    """Prints a line a command; 1 when a promise is not kept."""
    if reason := why_no_jobs():
        print(reason)
        return 0
    with tempfile.TemporaryDirectory(prefix="fabriek-bench-") as named, quickstarted(Path(named, "home")) as running:
        link = invited(running)
        one = Newcomer(Path(named, "newcomer"))
        one.types("login", "--link", link)
        guided = json.loads(one.types("apply", "guide", "--json", *(f"--answer={answer}" for answer in ANSWERED)))
        carried = [f"{name}={value}" for name, value in guided["route"]["carries"].items()]
        answers = [f"--answer={answer}" for answer in (*carried, *FORM)]
        filed = json.loads(one.types("apply", "new", guided["route"]["call"], "--json", *answers))
        assert filed["state"] == "awarded", filed
        started = one.types("session", "start", "jupyter", "--project", filed["project"], "--json")
        door = json.loads(started)
        try:
            one.waits("the notebook's page answers with 200", opened(door))
        finally:
            # It would go on without its factory.
            one.leaves(door["job"], filed["project"])
    minutes = one.seconds / 60
    print(
        f"from an empty account to a running notebook: {one.seconds:.1f} s in {one.commands} commands "
        f"(at most {MINUTES_MAX} minutes and {COMMANDS_MAX} commands); {OPERATORS} more that the operator typed before: up, org, funding, invite"
    )
    return int(minutes > MINUTES_MAX or one.commands > COMMANDS_MAX)


def invited(running: Running) -> str:
    """What the operator did before: an organisation without a register number, and a person's link."""
    for words in (
        ("org", "create", "Klank in oprichting", "--kind", "startup", "--slug", "klank"),
        (
            "funding",
            "contribute",
            "quickstart",
            "--kind",
            "private",
            "--euro",
            "1000",
            "--hours",
            "gpu_hour=500",
            "--hours",
            "cpu_hour=50000",
            "--hours",
            "expert_hour=50",
        ),
        ("org", "invite", "klank", "--name", "Noor", "--email", "noor@klank.example", "--json"),
    ):
        done = running.run(*words)
        assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["sign_in"])


def opened(door: dict[str, str]) -> Callable[[], bool]:
    """Whether the page behind the door answers; the way a browser goes in, redirects followed."""
    _, headers = asked(door["url"], f"/.fabriek/enter?code={door['code']}")
    cookie = headers["set-cookie"].partition(";")[0]

    def answers() -> bool:
        status, found = asked(door["url"], "/", cookie)
        while status == http.HTTPStatus.FOUND:
            status, found = asked(door["url"], found["location"], cookie)
        return status == http.HTTPStatus.OK

    return answers


def asked(address: str, path: str, cookie: str = "") -> tuple[int, dict[str, str]]:
    parts = urlsplit(address)
    line = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=20)
    line.request("GET", path, headers={"Host": parts.netloc, "Cookie": cookie})
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


if __name__ == "__main__":
    raise SystemExit(main())
