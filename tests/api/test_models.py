"""Models over HTTP, through the SDK, and what MLflow's own client is told of aliases that move by a rule."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from fabriek.adapters.database import open_database
from fabriek.api import app as api
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.sdk.facade import Fabriek
from fabriek.sdk.models import read_model
from fabriek.sdk.passport import read_key, verify
from tests.factories.models import House, safetensors
from tests.factories.services import a_town
from tests.servers.app import serving

NAME = "tree of life (été)"


class Door:
    def __init__(self, house: House, url: str) -> None:
        self.house, self.url = house, url

    def token(self, person: Caller) -> str:
        return self.house.services.identity.issue_token(person.person, by=person)

    def sdk(self, person: Caller) -> Fabriek:
        return Fabriek(self.url, self.token(person), self.house.slug)


@pytest.fixture
def door(sqlite_with_tables: Path, tmp_path: Path) -> Iterator[Door]:
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    opened = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    house = House(a_town(opened, tmp_path / "home"))
    with serving(api.build(house.services)) as url:
        yield Door(house, url)
    opened.close()


def test_models_are_shown_written_of_promoted_and_given_a_passport_by_the_sdk(door: Door) -> None:
    house = door.house
    house.version(house.max, {"model.safetensors": safetensors()}, name=NAME, metrics={"auc": 0.9, "odd": float("inf")})
    with door.sdk(house.lena) as lena, door.sdk(house.max) as maxim, door.sdk(house.nina) as nina:
        rule = lena.models.set_rule("champion", metrics=["auc>=0.9"])
        assert rule.asks == "auc>=0.9, a second person agrees, all its files are data"
        with pytest.raises(NotFound):
            maxim.models.card(NAME)
        with pytest.raises(InvalidInput):
            maxim.models.write_licence(NAME, "nonsense")
        assert maxim.models.write_licence(f"{NAME}@1", "mit").licence == "MIT"
        card = maxim.models.write_card(f"{NAME}/1", "---\nlicense: other\nlicense_name: house\n---\n# Tree")
        assert (card.licence, card.written_by) == ("house", "Max")
        made = maxim.models.promote(f"{NAME}@1", "champion", "better")
        assert (made.outcome, made.proposed_by_name) == ("open", "Max")
        with pytest.raises(NotPermitted):
            maxim.models.agree(made.id)
        assert nina.models.agree(made.id).decided_by_name == "Nina"
        (brief,) = nina.models.newest()
        assert (brief.name, brief.version, brief.aliases, brief.mark, brief.licence) == (
            NAME,
            1,
            ["champion"],
            "data",
            "house",
        )
        shown = nina.models.show(f"{NAME}@champion")
        assert shown.metrics == {"auc": 0.9, "odd": None}
        assert shown.registered_by_names == ["Max"]
        assert [one.outcome for one in shown.promotions] == ["agreed"]
        assert [one.id for one in nina.models.promotions(NAME)] == [made.id]
        file, page = nina.models.passport(f"{NAME}@champion")
        assert file == "passport-tree-of-life-t-1.html"
        assert verify(page, read_key(nina.models.passport_key().key))["predicate"]["model"]["name"] == NAME
        second = maxim.models.promote(f"{NAME}@1", "champion", "again")
        assert maxim.models.refuse(second.id, "no").outcome == "refused"
        with pytest.raises(NotPermitted):
            maxim.models.remove_rule("champion")
        lena.models.remove_rule("champion")
        assert list(lena.models.rules()) == []


def test_mlflows_client_is_told_which_command_moves_an_alias(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    house = door.house
    house.version(house.max, {"model.safetensors": safetensors()}, name="tree")
    house.services.promoting.set_rule(house.project, "champion", by=house.lena)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", door.token(house.max))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    address = f"{door.url}/lab/{house.slug}"
    mlflow = MlflowClient(address, address)
    mlflow.set_registered_model_alias("tree", "best", "1")
    assert mlflow.get_model_version_by_alias("tree", "best").version == "1"
    for act in (
        lambda: mlflow.set_registered_model_alias("tree", "champion", "1"),
        lambda: mlflow.set_registered_model_alias("tree", "Champion", "1"),
        lambda: mlflow.delete_registered_model_alias("tree", "champion"),
    ):
        with pytest.raises(MlflowException, match=r"fabriek model promote tree@\w champion") as refused:
            act()
        assert refused.value.error_code == "PERMISSION_DENIED"
    assert dict(mlflow.get_registered_model("tree").aliases) == {"best": "1"}


def test_the_key_is_for_everybody_and_all_else_for_members(door: Door) -> None:
    house = door.house
    house.version(house.max, {}, name="tree")
    with httpx.Client(base_url=door.url, trust_env=False) as anybody:
        assert anybody.get("/api/v1/passport-key").json()["key"] == house.services.passports.key()
        stranger = {"Authorization": f"Bearer {door.token(house.town.person('stranger'))}"}
        base = f"/api/v1/projects/{house.slug}"
        for path in (
            "models/newest",
            "models/tree/versions/1",
            "models/tree/versions/latest/passport",
            "promotions",
            "promotion-rules",
        ):
            assert anybody.get(f"{base}/{path}").status_code == 401
            assert anybody.get(f"{base}/{path}", headers=stranger).status_code == 404
        assert anybody.post("/api/v1/promotions/prm_x/agree", headers=stranger).status_code == 404


@pytest.mark.parametrize(
    ("said", "is_read"),
    [
        ("tree", ("tree", "latest")),
        ("tree@3", ("tree", "3")),
        ("tree/3", ("tree", "3")),
        ("tree@champion", ("tree", "champion")),
        ("models:/tree/3", ("tree", "3")),
        ("tree of life (été)@1", ("tree of life (été)", "1")),
        ("me@home.example@2", ("me@home.example", "2")),
    ],
)
def test_models_are_named_as_people_write_them(said: str, is_read: tuple[str, str]) -> None:
    assert read_model(said) == is_read


@pytest.mark.parametrize("said", ["", "@3", "tree@", "a/b/c", "a:b", "tree@no such", "a\nb"])
def test_what_names_no_model_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput):
        read_model(said)
