"""Crypt4GH files in and out by the command line, against the crypt4gh package's own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.factory import COMMAND, Running, quickstarted

pytest.importorskip("crypt4gh", reason="the crypt4gh package is not installed: its files were not exchanged")

from tests.factories.crypt4gh import Pair, a_pair, opened_by, theirs

MEBIBYTE = 2**20
LARGE = 600 * MEBIBYTE
MEMORY_BYTES_MAX = 200 * MEBIBYTE


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with quickstarted(tmp_path_factory.mktemp("exchange") / "home") as running:
        yield running


@pytest.fixture
def mine(tmp_path: Path) -> Pair:
    return a_pair(tmp_path, "mine")


def test_a_file_comes_in_and_goes_out_for_somebody_else(factory: Running, tmp_path: Path, mine: Pair) -> None:
    (tmp_path / "a.bam").write_bytes(body := os.urandom(300_000))
    file = theirs(tmp_path / "a.bam", tmp_path / "a.bam.c4gh", mine)
    done = factory.run("data", "import", str(file), "genomes", "--key", str(mine.secret))
    assert (done.returncode, done.stdout.split("  ")[0]) == (0, "genomes@1"), done.stderr
    other, out = a_pair(tmp_path, "other"), tmp_path / "out.c4gh"
    export = ("data", "export", "genomes:a.bam", str(out), "--recipient", str(other.public))
    done = factory.run(*export, "--recipient", str(mine.public), "--key", str(mine.secret))
    assert done.returncode == 0, done.stderr
    for pair in (other, mine):
        assert opened_by(pair, out, tmp_path / "plain", "--sender_pk", str(mine.public)) == body
    again = factory.run(*export)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    piped = subprocess.run(
        [*COMMAND, "data", "export", "genomes@1:a.bam", "--recipient", str(other.public)],
        env=factory.environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    out.write_bytes(piped.stdout)
    assert opened_by(other, out, tmp_path / "plain") == body


def test_a_key_under_a_passphrase_is_opened_by_a_file(factory: Running, tmp_path: Path) -> None:
    locked = a_pair(tmp_path, "locked", "open sesame")
    (tmp_path / "a").write_bytes(b"abc")
    file = theirs(tmp_path / "a", tmp_path / "a.c4gh", locked)
    (tmp_path / "words").write_text("open sesame\n")
    argv = ("data", "import", str(file), "locked", "--key", str(locked.secret), "--passphrase-file")
    assert factory.run(*argv, str(tmp_path / "words")).returncode == 0
    (tmp_path / "words").write_text("open barley\n")
    refused = factory.run(*argv, str(tmp_path / "words"))
    assert (refused.returncode, "does not open with this passphrase" in refused.stderr) == (2, True)
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("spoiled", "code", "says"),
    [
        ("nothing", 2, "is for somebody else, or damaged"),
        ("cut", 10, "was cut"),
        ("flipped", 10, "does not hold"),
        ("other", 2, "is not a Crypt4GH file"),
        ("gone", 2, "cannot be read"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_words_and_leaves_nothing(
    factory: Running, tmp_path: Path, mine: Pair, spoiled: str, code: int, says: str
) -> None:
    (tmp_path / "a").write_bytes(os.urandom(100_000))
    file, key = theirs(tmp_path / "a", tmp_path / "a.c4gh", mine), mine.secret
    raw = bytearray(file.read_bytes())
    if spoiled == "nothing":
        key = a_pair(tmp_path, "other").secret
    elif spoiled == "cut":
        file.write_bytes(raw[:-100])
    elif spoiled == "flipped":
        raw[-1_000] ^= 4
        file.write_bytes(raw)
    elif spoiled == "other":
        file.write_bytes(b"BAM\x01" + bytes(1_000))
    else:
        file.unlink()
    refused = factory.run("data", "import", str(file), f"never-{spoiled}", "--key", str(key))
    assert (refused.returncode, says in refused.stderr) == (code, True), refused.stderr
    assert f"never-{spoiled}" not in factory.run("data", "ls").stdout


def test_memory_stays_bounded_and_nothing_lies_in_plain(factory: Running, tmp_path: Path, mine: Pair) -> None:
    """A file of 600 MiB, in and out, by clients that may hold 200 MiB."""
    with (tmp_path / "large").open("wb") as out:
        for _ in range(LARGE // (6 * MEBIBYTE)):
            out.write(b"the canary sings; " * (MEBIBYTE // 3))
    body_size = (tmp_path / "large").stat().st_size
    file = theirs(tmp_path / "large", tmp_path / "large.c4gh", mine)

    def bounded(*arguments: str) -> "subprocess.CompletedProcess[str]":
        script = (
            "import re, sys\nfrom fabriek.cli.main import main\ncode = 0\n"
            "try:\n    code = main()\nexcept SystemExit as left:\n    code = left.code or 0\n"
            "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr)\nsys.exit(code)"
        )
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=factory.environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )

    came = bounded("data", "import", str(file), "large", "--key", str(mine.secret))
    out_file = tmp_path / "out.c4gh"
    went = bounded("data", "export", "large:large", str(out_file), "--recipient", str(mine.public))
    assert max(int(done.stderr.split()[-1]) * 1024 for done in (came, went)) < MEMORY_BYTES_MAX
    assert out_file.stat().st_size > body_size
    places = [one for one in factory.home.rglob("*") if one.is_file() and one.stat().st_size < 100 * MEBIBYTE]
    assert [one for one in places if b"canary sings" in one.read_bytes()] == []
