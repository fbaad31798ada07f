"""What all tests share: the database in both dialects, the real data, and a summary that names what could not run."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from fabriek.adapters.database import Database
from tests.factories.tables import PostgresTables, a_database
from tests.servers import oidc, openbao, postgres, seaweed, slurm, slurm_release, softhsm
from tests.spreading import ByFile, longest_first

# Thousands of processes are started here: where they may keep no bytecode, each compiles the whole application anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # noqa: TID251  # of what is started, whoever hands on its variables
sys.dont_write_bytecode = False

# No test is timed: a busy machine would fail one that proves something else.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running PostgreSQL; skips with its reason when there is none."""
    if reason := postgres.why_absent():
        pytest.skip(reason)
    with postgres.running() as url:
        yield url


@pytest.fixture
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with every table and no row, to copy."""
    file = tmp_path_factory.mktemp("tables") / "fabriek.db"
    a_database(file).close()
    return file


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[slurm.Cluster]:
    """A running Slurm; skips with its reason when there is none."""
    if reason := slurm.why_absent():
        pytest.skip(reason)
    with slurm.running() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def newer_slurm_cluster() -> Iterator[slurm.Cluster]:
    """A running Slurm of the release that is spoken to by REST; skips with its reason when there is none."""
    if reason := slurm.why_absent() or slurm_release.why_absent():
        pytest.skip(reason)
    with slurm.running(newer=True) as cluster:
        yield cluster


@pytest.fixture(
    params=[
        pytest.param("slurm_cluster", marks=pytest.mark.xdist_group("slurm"), id="commands"),
        pytest.param("newer_slurm_cluster", marks=pytest.mark.xdist_group("slurm-rest"), id="rest"),
    ]
)
def any_slurm_cluster(request: pytest.FixtureRequest) -> slurm.Cluster:
    """Both: one spoken to by commands, one by REST.

    Every test on one of them is of its group, so that one worker starts that cluster and no other starts it again.
    """
    found: slurm.Cluster = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def s3_store() -> Iterator[seaweed.S3Server]:
    """A running S3 store; skips with its reason when there is none."""
    if reason := seaweed.why_absent():
        pytest.skip(reason)
    with seaweed.running() as server:
        yield server


@pytest.fixture(scope="module")
def s3_server(s3_store: seaweed.S3Server) -> Iterator[seaweed.S3Server]:
    """The store, emptied after each module: all of them together would fill a small disk."""
    s3_store.tidy()
    yield s3_store
    s3_store.empty()


@pytest.fixture(scope="session")
def openbao_server() -> Iterator[openbao.OpenBao]:
    """A running OpenBao; skips with its reason when there is none."""
    if reason := openbao.why_absent():
        pytest.skip(reason)
    with openbao.running() as server:
        yield server


@pytest.fixture(scope="session")
def oidc_provider() -> Iterator[oidc.OidcProvider]:
    """A running OpenID provider; skips with its reason when there is none."""
    if reason := oidc.why_absent():
        pytest.skip(reason)
    with oidc.running() as server:
        yield server


@pytest.fixture(scope="session")
def soft_hsm() -> Iterator[softhsm.SoftHsm]:
    """Where PKCS#11 tokens can be made; skips with its reason when there is no such place."""
    if reason := softhsm.why_absent():
        pytest.skip(reason)
    with softhsm.running() as place:
        yield place


@pytest.fixture(scope="session")
def postgres_tables(postgres_url: str) -> PostgresTables:
    """The database that is lent to one test after the other."""
    return PostgresTables(postgres_url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with every table, on SQLite and on PostgreSQL."""
    opened = (
        a_database(tmp_path / "fabriek.db")
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_tables").lend()
    )
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real data; skips when `FABRIEK_DATA` does not name it."""
    named = os.environ.get("FABRIEK_DATA", "")  # noqa: TID251  # the one setting of the tests
    if not named or not Path(named).is_dir():
        pytest.skip("FABRIEK_DATA names no folder: tests on real data did not run")
    return Path(named)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: the worker that has the clusters waits for them most of the time."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return ByFile(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("loadgroup", default=False):
        longest_first(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Stops a run in which a group of tests is not kept on one worker: each would start the group's servers, and they get in each other's way."""
    kept_together = session.config.getoption("loadgroup", default=False)
    for item in session.items:
        if kept_together and item.get_closest_marker("xdist_group") is not None and "@" not in item.nodeid:
            raise pytest.UsageError(f"xdist does not keep groups with this pytest: {item.nodeid}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names every reason for which something was skipped: nothing is left out silently."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"not run: {count} x {reason}")
