"""What people put in is nowhere in plain: not in the database, the store, the logs, the server's error output or its temporary files.

Canaries go in by each way that there is; afterwards all that the server has kept is looked through for them.
"""

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import MetaData, select, update

from fabriek.adapters.database import open_database
from tests.factories.waiting import until
from tests.servers import postgres
from tests.servers.factory import Running, quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]

# What the job says is in none of what is sent with it: neither its code nor its command.
SCRIPT = """
import hashlib, pathlib, sys
for number, file in enumerate(sorted(pathlib.Path("/data").rglob("*.csv"))):
    word = hashlib.sha256(file.read_bytes()).hexdigest()
    print(word, flush=True)
    print(word, file=sys.stderr, flush=True)
    pathlib.Path("/output", f"{word}.txt").write_text(f"{word} of {file.name}")
sys.exit(3)
"""


class Canaries:
    """Words that are nobody's but this run's."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def new(self, what: str) -> str:
        self.words.append(word := f"canary-{what}-{secrets.token_hex(12)}")
        return word

    def pattern(self) -> "re.Pattern[bytes]":
        """Each as it is, as hexadecimal digits, and as base64 wherever in a longer text it stands."""
        ways = {way for word in self.words for way in _written(word.encode())}
        return re.compile(b"|".join(re.escape(way) for way in sorted(ways)), re.IGNORECASE)


def _written(word: bytes) -> Iterator[bytes]:
    yield word
    yield word.hex().encode()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + word)
        # The first characters depend on what stands before, the last ones on what comes after.
        yield whole[4 if before else 0 : -4]
        yield base64.urlsafe_b64encode(bytes(before) + word)[4 if before else 0 : -4]


def in_files(folder: Path, seeks: "re.Pattern[bytes]") -> set[str]:
    """Those that say a canary, in their name or in what they hold."""
    return {
        str(place.relative_to(folder))
        for place in folder.rglob("*")
        if seeks.search(str(place.relative_to(folder)).encode())
        or (place.is_file() and not place.is_symlink() and seeks.search(place.read_bytes()))
    }


def in_database(url: str, seeks: "re.Pattern[bytes]") -> set[str]:
    """Columns of which a row says a canary, of every table that there is."""
    database, found, seen = open_database(url), set[str](), 0
    tables = MetaData()
    tables.reflect(database.engine)
    with database.engine.connect() as connection:
        for table in tables.tables.values():
            for row in connection.execute(select(table)).mappings():
                seen += 1
                found |= {f"{table.name}.{name}" for name, value in row.items() if seeks.search(_bytes_of(value))}
    database.close()
    assert seen > 100, "this is not the factory's database"
    return found


def _bytes_of(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def announce(client: httpx.Client, path: str, body: bytes, *, sent: int) -> httpx.Response:
    """By tus, to become a version by itself."""
    told = f"path {base64.b64encode(path.encode()).decode()},filename {base64.b64encode(path.encode()).decode()}"
    headers = {
        "Tus-Resumable": "1.0.0", "Upload-Length": str(len(body)), "Upload-Metadata": told, "Content-Type": "application/offset+octet-stream",
    }  # fmt: skip
    return client.post("/api/v1/projects/playground/datasets/scans/files", headers=headers, content=body[:sent])


def push_and_pull(factory: Running, canaries: Canaries, place: Path) -> str:
    """A folder in and out by each reading verb, the good and the refused. What its file holds."""
    name, body = canaries.new("name"), canaries.new("content") * 50
    inside = place / "in" / canaries.new("folder")
    inside.mkdir(parents=True)
    (inside / f"{name}.csv").write_text(body)
    path = f"{inside.name}/{name}.csv"
    for argv, code in (
        (("push", str(place / "in"), "scans"), 0),
        (("pull", "scans", str(place / "out"), path), 0),
        (("cat", f"scans:{path}"), 0),
        (("cat", f"scans:{path}.gone"), 3),
        (("verify", "scans"), 0),
    ):
        done = factory.run("data", *argv)
        assert done.returncode == code, done.stderr
    assert (place / "out" / path).read_text() == body
    return body


def send_by_tus(factory: Running, canaries: Canaries) -> None:
    """One file that becomes a version, one that is refused, one that is given up half way."""
    token = factory.environment()["FABRIEK_TOKEN"]
    with httpx.Client(
        base_url=factory.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
    ) as client:
        path, body = (
            f"{canaries.new('tus-folder')}/{canaries.new('tus-name')}",
            canaries.new("tus-content").encode() * 50,
        )
        whole = announce(client, path, body, sent=len(body))
        assert (whole.status_code, "fabriek-version" in whole.headers) == (201, True), whole.text
        assert announce(client, f"../{canaries.new('tus-refused')}", body, sent=len(body)).status_code == 422
        half = announce(client, canaries.new("tus-given-up"), body, sent=100)
        assert half.status_code == 201, half.text
        gone = client.delete(half.headers["location"], headers={"Tus-Resumable": "1.0.0"})
        assert gone.status_code == 204, gone.text
    shown = factory.run("data", "cat", f"scans:{path}")
    assert shown.stdout.encode() == body, shown.stderr


def run_a_job(factory: Running, canaries: Canaries, place: Path, body: str) -> None:
    """One that says what it read and fails."""
    canaries.words.append(said := hashlib.sha256(body.encode()).hexdigest())
    (place / "code").mkdir()
    (place / "code" / "work.py").write_text(SCRIPT)
    ran = factory.run("run", "--data", "scans:/data", "--json", "--", "python", "work.py", cwd=place / "code")
    assert ran.returncode == 9, ran.stdout + ran.stderr
    job = json.loads(ran.stdout)["id"]
    assert until(lambda: said in factory.run("job", "log", job).stdout)
    pulled = factory.run("job", "pull", job, str(place / "results"))
    assert pulled.returncode == 0, pulled.stderr
    assert [file.name for file in (place / "results").rglob("*.txt")] == [f"{said}.txt"]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_what_people_put_in_is_nowhere_in_plain(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    canaries, home, left = Canaries(), tmp_path / "server" / "home", tmp_path / "server" / "tmp"
    left.mkdir(parents=True)
    settings = {"TMPDIR": str(left)}
    if kind == "postgresql":
        url = postgres.fresh_database(request.getfixturevalue("postgres_url"), "canaries")
        settings["FABRIEK_DATABASE_URL"] = url
    else:
        url = f"sqlite:///{home}/fabriek.db"
    with quickstarted(home, **settings) as factory:
        body = push_and_pull(factory, canaries, tmp_path)
        run_a_job(factory, canaries, tmp_path, body)
        send_by_tus(factory, canaries)
        running = in_database(url, canaries.pattern())
    assert (running, in_files(tmp_path / "server", canaries.pattern())) == (set(), set())
    assert in_database(url, canaries.pattern()) == set()

    # Who looks would have found them: in a row, in an object, in the log and in the name of a file, in other writing too.
    word = canaries.words[0]
    (planted := home / "objects" / "00" / "obj_planted").parent.mkdir(exist_ok=True)
    planted.write_bytes(b"..." + base64.b64encode(b"x" + word.encode() + b"y"))
    with (home / "logs" / "server.log").open("a") as log:
        log.write(f"Traceback: {word.encode().hex()}\n")
    (left / f"{word}.part").touch()
    database = open_database(url)
    (tables := MetaData()).reflect(database.engine)
    with database.engine.begin() as connection:
        assert connection.execute(update(tables.tables["vault_arrivals"]).values(path=word)).rowcount
    database.close()
    assert in_database(url, canaries.pattern()) == {"vault_arrivals.path"}
    expected = {"home/objects/00/obj_planted", "home/logs/server.log", f"tmp/{word}.part"}
    assert in_files(tmp_path / "server", canaries.pattern()) - {"home/fabriek.db"} == expected
