"""A job packed here, run by its own job.sh on another machine, and taken back; and the accounts of a real Slurm, booked once."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.api import app as api
from fabriek.kernel.clock import SystemClock
from fabriek.kernel.dsse import opened
from fabriek.kernel.errors import InvalidInput, NotPermitted, WrongState
from fabriek.node.bubblewrap import bubblewrap
from fabriek.schemas.foreign import DumpOut
from fabriek.sdk import Fabriek
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.factories.waiting import until
from tests.servers import slurm
from tests.servers.app import serving
from tests.servers.factory import quickstarted

SCRIPT = """
import os, sys, time
time.sleep(1.1)  # what takes no whole second is no use in Slurm's accounts
numbers = open(sys.argv[1] + "/numbers.csv").read().split(",")
print(os.environ["GREETING"], sum(map(int, numbers)))
open(os.path.join(sys.argv[2], "sum.txt"), "w").write(str(sum(map(int, numbers))))
sys.exit(int(sys.argv[3]))
"""
GREETING = "it's $HOME; `true` \n#SBATCH --nodes=99"
COLUMNS = "JobID,Cluster,Account,State,Start,ElapsedRaw,AllocTRES"


@dataclass
class Home:
    """A factory that a member speaks to, with data that may leave and code that reads it."""

    town: Town
    url: str
    project: str
    member: Fabriek
    operator: Fabriek
    folder: Path

    def pack(self, name: str, *, exit_code: int = 0, **asked: Any) -> tuple[str, Path]:
        folder = self.folder / name
        words = ["python", "train.py", "/data", "/output", str(exit_code)]
        packed = self.member.packs.pack(
            folder, words, data={"numbers": "/data"}, code=self.folder / "code", environment={"GREETING": GREETING}, **asked
        )  # fmt: skip
        return packed.id, folder

    def credits(self, resource: str) -> str:
        return next(one.left for one in self.member.funding.credits() if one.resource == resource)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    database = a_database(tmp_path / "fabriek.db")
    town = a_town(database, tmp_path / "home")
    town.clock.move(SystemClock().now() - town.clock.now())  # what another machine tells of happens now
    owner = town.person("weefsel")
    project = town.project(owner)
    owner = town.again(owner)
    tokens = [town.services.identity.issue_token(one.person, by=one) for one in (owner, town.operator)]
    (tmp_path / "numbers").mkdir()
    (tmp_path / "numbers" / "numbers.csv").write_text("1,2,3")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text(SCRIPT)
    with (
        serving(api.build(town.services)) as url,
        Fabriek(url, tokens[0], project) as member,
        Fabriek(url, tokens[1]) as operator,
    ):
        member.vault.push(tmp_path / "numbers", "numbers", label="confidential-business")
        yield Home(town, url, project, member, operator, tmp_path)
    database.close()


def bash(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], **variables}  # noqa: TID251  # for a child
    return subprocess.run(
        ["bash", str(folder / "job.sh")],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_pack_runs_in_plain_bash_wherever_it_was_carried_and_comes_back_as_an_archive(home: Home) -> None:
    folder = home.folder / "pack"
    words = ["sh", "-c", 'cp "$FABRIEK_INPUT_1/numbers.csv" "$FABRIEK_OUTPUT/" && ls train.py']
    packed = home.member.packs.pack(folder, words, data={"numbers": "/data"}, code=home.folder / "code")
    moved = folder.rename(home.folder / "elsewhere")
    ran = bash(moved, FABRIEK_RUNTIME="plain")
    assert ran.returncode == 0, ran.stderr
    assert (moved / "results" / "log.txt").read_text().splitlines()[-1] == "train.py"
    archive = home.folder / "results.tar.gz"
    subprocess.run(["tar", "-czf", str(archive), "-C", str(moved), "results"], check=True)
    back = home.member.packs.take_back(packed.id, archive, "lisa")
    assert (back.state, back.exit_code, back.site) == ("returned", 0, "lisa")
    assert home.member.packs.take_back(packed.id, moved / "results", "lisa").output == back.output
    pulled = home.member.vault.pull(back.output, home.folder / "pulled")
    assert (pulled / "output" / "numbers.csv").read_text() == "1,2,3"


def test_what_a_user_wrote_stands_below_the_directives(home: Home) -> None:
    _, folder = home.pack("pack")
    lines = (folder / "job.sh").read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    assert [line for line in lines[:first] if "nodes=99" in line] == []


def test_the_paths_that_the_command_knows_are_there_under_bubblewrap(home: Home) -> None:
    if not bubblewrap():
        pytest.skip("there is no bubblewrap")
    pack, folder = home.pack("pack", exit_code=3)
    listed = json.loads((folder / "inputs.json").read_text())
    assert listed["data_included"] is True
    assert [one["path"] for one in listed["inputs"][0]["files"]] == ["numbers.csv"]
    ran = bash(folder, PATH=f"{Path(bubblewrap()).parent}:{os.environ['PATH']}")  # noqa: TID251  # for a child
    assert ran.returncode == 3, ran.stderr + (folder / "results" / "log.txt").read_text()
    results = folder / "results"
    assert json.loads((results / "ran.json").read_text())["runtime"] == "bwrap"
    assert (results / "log.txt").read_text() == f"{GREETING} 6\n"
    back = home.member.packs.take_back(pack, results, "lisa")
    again = home.member.packs.take_back(pack, results, "lisa")
    assert (back, back.exit_code, back.state) == (again, 3, "returned")
    pulled = home.member.vault.pull(back.output, home.folder / "pulled")
    assert (pulled / "output" / "sum.txt").read_text() == "6"
    version = next(one for one in home.town.services.vault.versions_of_job(pack))
    assert version.label == "confidential-business"
    signed = home.member.packs.statement(pack)
    said = opened(signed.envelope, home.town.services.assurance.public_key())["predicate"]
    assert (said["how"], said["site"], said["observed"]) == (
        "ran elsewhere: site as claimed, not observed",
        "lisa",
        False,
    )
    (results / "log.txt").write_text("better")
    with pytest.raises(InvalidInput, match="not what CHECKSUMS says"):
        home.member.packs.take_back(pack, results, "lisa")


def test_the_statement_of_a_pack_binds_its_folder_to_its_purpose(home: Home) -> None:
    pack, folder = home.pack("pack")
    envelope = (folder / "pack.dsse.json").read_text()
    said = opened(envelope, home.town.services.assurance.public_key())
    checked = subprocess.run(["sha256sum", "CHECKSUMS"], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert said["subject"][0]["digest"]["sha256"] == checked.split()[0]
    assert (said["predicate"]["pack"], said["predicate"]["purpose"], said["predicate"]["label"]) == (
        pack,
        "civilian",
        "confidential-business",
    )
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "CHECKSUMS"], cwd=folder, check=True)


def test_a_pack_that_was_changed_does_not_run(home: Home) -> None:
    _, folder = home.pack("pack")
    (folder / "code" / "train.py").write_text("print('other')")
    ran = bash(folder, FABRIEK_RUNTIME="plain")
    assert (ran.returncode, (folder / "results").exists()) == (65, False)


def test_data_that_may_not_be_taken_away_is_listed_and_left(home: Home) -> None:
    """A member who may compute on the data of another house, and not take it away."""
    town = home.town
    guest = town.person("guest")
    project = town.project(guest)
    guest = town.again(guest)
    owner = home.member
    owner.vault.agree("numbers", project=project, purposes=["civilian"], until=town.clock.today())
    with Fabriek(home.url, town.services.identity.issue_token(guest.person, by=guest), project) as member:
        words, data = ["cat", "/data/numbers.csv"], {f"{home.project}/numbers": "/data"}
        with pytest.raises(NotPermitted):
            member.packs.pack(home.folder / "all", words, data=data, with_data=True)
        assert not (home.folder / "all").exists()
        packed = member.packs.pack(home.folder / "listed", words, data=data)
        assert "take_away" in packed.stays
        listed = json.loads((home.folder / "listed" / "inputs.json").read_text())
        assert (listed["data_included"], listed["inputs"][0]["label"]) == (False, "confidential-business")
        assert "files" not in listed["inputs"][0]
        assert not (home.folder / "listed" / "inputs").exists()
        assert "not in here" in (home.folder / "listed" / "README.md").read_text()
        without = bash(home.folder / "listed", FABRIEK_RUNTIME="plain")
        assert (without.returncode, "FABRIEK_INPUT_1" in without.stderr) == (66, True)
        bash(home.folder / "listed", FABRIEK_RUNTIME="plain", FABRIEK_INPUT_1=str(home.folder / "numbers"))
        back = member.packs.take_back(packed.id, home.folder / "listed" / "results", "lisa")
        with pytest.raises(NotPermitted):  # what was made of it follows it
            member.vault.pull(back.output, home.folder / "leaked")


def test_a_withdrawn_pack_takes_nothing_back_and_a_folder_is_never_mixed(home: Home) -> None:
    pack, folder = home.pack("pack", with_data=False)
    with pytest.raises(InvalidInput, match="there already"):
        home.pack("pack")
    assert [one.id for one in home.member.packs.list()] == [pack]
    bash(folder, FABRIEK_RUNTIME="plain", FABRIEK_INPUT_1=str(home.folder / "numbers"))
    assert home.member.packs.withdraw(pack).state == "withdrawn"
    with pytest.raises(WrongState):
        home.member.packs.take_back(pack, folder / "results", "lisa")


def test_a_job_of_ours_is_packed_once_more_with_its_code_and_data(home: Home) -> None:
    job = home.member.jobs.run(
        ["python", "train.py", "/data", "/output", "0"], data={"numbers": "/data"}, code=home.folder / "code"
    )
    packed = home.member.packs.pack_job(job.id, home.folder / "again")
    assert (packed.job, packed.command, packed.label) == (job.id, job.command, job.label)
    assert (home.folder / "again" / "code" / "train.py").read_text() == SCRIPT
    assert [one.id for one in home.member.jobs.list().items] == [job.id], "packing submits nothing"


@pytest.mark.slurm
@pytest.mark.xdist_group("slurm-journeys")
class TestOnSlurm:
    """Slurm 22.05 as the site that we do not run."""

    def test_a_pack_runs_as_a_batch_job_and_its_use_is_booked_once(
        self, slurm_cluster: slurm.Cluster, home: Home
    ) -> None:
        pack, folder = home.pack("pack", cpus=2, memory_bytes=512 * 2**20, wall_seconds_max=600)
        job = self._submit(slurm_cluster, folder)
        back = home.member.packs.take_back(pack, folder / "results", "fac")
        assert (back.exit_code, back.state) == (0, "returned")
        ran = json.loads((folder / "results" / "ran.json").read_text())
        assert (ran["job"], ran["cluster"]) == (job, "fac")
        before = home.credits("cpu_hour")
        table = home.folder / "sacct.txt"
        until(lambda: "COMPLETED" in self._table(slurm_cluster, table, "-j", job))
        used = home.member.foreign.one_job(table, cluster="fac")
        assert (used.cpus, used.job) == (2, job)
        for _ in range(2):
            home.member.packs.take_back(pack, folder / "results", "fac", usage=used)
        booked = home.credits("cpu_hour")
        assert booked != before
        dump = self._import(home, table)
        assert (dump.booked, dump.corrected, dump.quarantined) == (1, 1, 0), "the site's word replaces the member's"
        assert home.credits("cpu_hour") == booked
        assert home.town.services.funding.balanced()

    def test_its_table_and_its_document_say_the_same_and_are_booked_once(
        self, slurm_cluster: slurm.Cluster, home: Home
    ) -> None:
        words = ["sbatch", "--parsable", "-A", slurm.ACCOUNT, "-o", "/dev/null"]
        array = slurm_cluster.command(*words, "--array=0-2", "--wrap", "sleep 2").strip()
        failing = slurm_cluster.command(*words, "-c", "2", "--wrap", "sleep 2; exit 3").strip()
        table, document = home.folder / "sacct.txt", home.folder / "sacct.json"
        jobs = ("-j", f"{array},{failing}")
        until(lambda: len(re.findall(r"\|(?:COMPLETED|FAILED)\|", self._table(slurm_cluster, table, "-X", *jobs))) == 4)
        self._table(slurm_cluster, table, *jobs)
        document.write_text(slurm_cluster.command("sacct", "-a", "--json", *jobs))
        told = home.operator.foreign.preview_sacct(table, "fac", self._map(home))
        first = self._import(home, table)
        assert first.lines_in == len(table.read_text().splitlines()) - 1
        assert first.booked == told.booked == 4
        second = self._import(home, document)
        assert (second.booked, second.known, second.quarantined) == (0, first.booked, 0)
        assert self._import(home, table).booked == 0
        (total,) = home.operator.foreign.usage(everybody=True)
        assert (total.project, total.site, total.over) == (home.project, "fac", "0")

    def _submit(self, cluster: slurm.Cluster, folder: Path) -> str:
        words = [
            "sbatch",
            "--parsable",
            "--wait",
            "-A",
            slurm.ACCOUNT,
            "-o",
            str(folder.parent / "slurm.txt"),
            "job.sh",
        ]
        path = f"{Path(bubblewrap()).parent}:{os.environ['PATH']}"  # noqa: TID251  # for a child
        done = subprocess.run(
            words,
            cwd=folder,
            env=cluster.environment | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        log = folder / "results" / "log.txt"
        assert done.returncode == 0, (
            done.stderr + (folder.parent / "slurm.txt").read_text() + (log.read_text() if log.exists() else "")
        )
        return done.stdout.strip()

    def _table(self, cluster: slurm.Cluster, into: Path, *narrowed: str) -> str:
        text = cluster.command("sacct", "-a", "--parsable2", "--format", COLUMNS, *narrowed)
        into.write_text(text)
        return text

    def _map(self, home: Home) -> Path:
        path = home.folder / "map.toml"
        path.write_text(f'zone = "UTC"\n[[account]]\nname = "{slurm.ACCOUNT}"\nproject = "{home.project}"\n')
        return path

    def _import(self, home: Home, dump: Path) -> DumpOut:
        return home.operator.foreign.import_sacct(dump, "fac", self._map(home))


def test_the_command_line_packs_takes_back_and_imports(tmp_path: Path) -> None:
    """As somebody types it, in a factory of their own."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "say.py").write_text("print('said')")
    with quickstarted(tmp_path / "home") as factory:
        folder = tmp_path / "pack"
        packed = factory.run("run", "--pack", str(folder), "--json", "--", "python", "say.py", cwd=code)
        assert packed.returncode == 0, packed.stderr
        pack = json.loads(packed.stdout)["id"]
        assert bash(folder, FABRIEK_RUNTIME="plain").returncode == 0
        dump, mapping = tmp_path / "sacct.txt", tmp_path / "map.toml"
        began = (SystemClock().now() - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S")
        dump.write_text(
            "JobID|Cluster|Account|State|Start|ElapsedRaw|AllocTRES\n"
            f"4711|lisa|astro|COMPLETED|{began}|60|cpu=1,gres/gpu=2\n4712|lisa|other|COMPLETED|{began}|60|cpu=1\nbroken\n"
        )
        mapping.write_text('[[account]]\nname = "astro"\nproject = "playground"\n')
        one = tmp_path / "one.txt"
        one.write_text("\n".join(dump.read_text().splitlines()[:2]) + "\n")
        back = factory.run("pack", "return", pack, str(folder / "results"), "--site", "lisa", "--usage", str(one))
        assert (back.returncode, "nobody here saw it run" in back.stdout) == (0, True), back.stderr
        words = ("usage", "import", str(dump), "--site", "lisa", "--map", str(mapping), "--json")
        dry = json.loads(factory.run(*words, "--dry-run").stdout)
        assert (dry["lines_in"], dry["booked"], dry["quarantined"]) == (3, 1, 2)
        done = json.loads(factory.run(*words).stdout)
        assert (done["lines_in"], done["booked"], done["corrected"], done["quarantined"]) == (3, 1, 1, 2)
        kept = factory.run("usage", "quarantine", done["id"]).stdout
        assert ("nothing of the account 'other'" in kept, "1 fields" in kept) == (True, True)
        used = json.loads(factory.run("usage", "foreign", "--json").stdout)
        assert [(line["site"], line["used"], line["jobs"]) for line in used] == [("lisa", "0.033334", 1)]
        missing = factory.run("usage", "import", str(tmp_path / "none"), "--site", "lisa", "--map", str(mapping))
        assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)
