"""One town for a module of tests, and its servers: the whole factory's, and the one that only jobs reach."""

from collections.abc import Iterator

import pytest

from fabriek.api import app as api
from fabriek.api.mlflow.routes import build_job_app
from tests.factories.services import Town, a_town
from tests.factories.tables import a_database
from tests.servers.app import serving


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    database = a_database(folder / "fabriek.db")
    yield a_town(database, folder / "home")
    database.close()


@pytest.fixture(scope="module")
def server(town: Town) -> Iterator[str]:
    with serving(api.build(town.services)) as url:
        yield url


@pytest.fixture(scope="module")
def job_server(town: Town) -> Iterator[str]:
    with serving(build_job_app(town.services)) as url:
        yield url
