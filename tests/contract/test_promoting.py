"""Promotion on both databases: by the project's rule and two people, and by no other way."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabriek.adapters.database import Database, open_database
from fabriek.kernel.errors import AlreadyExists, Damaged, FabriekError, NotFound, NotPermitted, WrongState
from fabriek.lab.registry.promotion import Outcome, Promotion
from tests.factories.models import House, safetensors, trapped
from tests.factories.services import a_town
from tests.factories.threads import at_once

GOOD = {"model.safetensors": safetensors()}


@pytest.fixture
def house(sqlite_with_tables: Path, tmp_path: Path) -> Iterator[House]:
    """On one database: most of what is shown here is a matter of rules, and not of SQL."""
    shutil.copyfile(sqlite_with_tables, tmp_path / "fabriek.db")
    opened = open_database(f"sqlite:///{tmp_path}/fabriek.db")
    yield House(a_town(opened, tmp_path / "home"))
    opened.close()


@pytest.fixture
def on_both(database: Database, tmp_path: Path) -> House:
    return House(a_town(database, tmp_path / "home"))


def ruled(house: House, *limits: str, **told: object) -> None:
    house.services.promoting.set_rule(house.project, "champion", limits=limits, by=house.lena, **told)  # type: ignore[arg-type]


def proposed(house: House, which: str = "1", by: object = None) -> Promotion:
    who = by or house.max
    return house.services.promoting.propose(house.project, "tree", which, "champion", "it is better", by=who)  # type: ignore[arg-type]


def champion(house: House) -> int:
    registry = house.services.registry
    return registry.registered(house.project, "tree", by=house.lena).aliases.get("champion", 0)


def rule_of(act: object) -> str:
    with pytest.raises(NotPermitted) as refused:
        act()  # type: ignore[operator]
    return str(refused.value.fields["rule"])


def test_a_version_is_promoted_by_a_second_person_and_the_log_says_who(on_both: House) -> None:
    house = on_both
    promoting = house.services.promoting
    ruled(house, "auc>=0.9")
    house.version(house.max, GOOD, metrics={"auc": 0.9})
    made = proposed(house)
    assert [one.id for one in promoting.waiting(by=house.nina)] == [made.id]
    assert promoting.waiting(by=house.max) == []
    assert rule_of(lambda: promoting.agree(made.id, by=house.max)) == "promotion.second_person"
    assert champion(house) == 0
    house.town.clock.sleep(5)
    agreed = promoting.agree(made.id, by=house.nina)
    assert (agreed.outcome, agreed.decided_by, champion(house)) == (Outcome.AGREED, house.nina.person, 1)
    assert [(one.asked, one.found, one.passed) for one in agreed.checks] == [
        ("auc>=0.9", "0.9", True), ("all its files are data", "all are", True),
    ]  # fmt: skip
    assert list(promoting.of_model(house.project, "tree", by=house.lena)) == [agreed]
    events = house.services.audit.events(by=house.town.operator).items
    said = {one.action: one.person for one in events if one.action.startswith(("promotion.", "model.alias"))}
    assert said == {
        "promotion.rule_set": house.lena.person, "promotion.proposed": house.max.person, "promotion.agreed": house.nina.person,
        "model.alias_set": house.nina.person,
    }  # fmt: skip


def test_who_registered_it_does_not_agree_even_where_another_proposed_it(house: House) -> None:
    ruled(house)
    job = house.job(house.max)
    house.version(house.max, GOOD, job=job)
    made = proposed(house, by=house.nina)
    assert rule_of(lambda: house.services.promoting.agree(made.id, by=house.max)) == "promotion.author"
    house.services.promoting.agree(made.id, by=house.lena)
    assert champion(house) == 1


def test_what_the_rule_asks_for_must_hold(house: House) -> None:
    ruled(house, "auc>=0.9")
    for number, (files, metrics, says) in enumerate(
        [
            (GOOD, {"auc": 0.89}, "auc>=0.9: 0.89"),
            (GOOD, {}, "auc>=0.9: not logged"),
            ({"model.safetensors": trapped(Path("/nowhere"))}, {"auc": 1.0}, "all its files are data: some are code"),
            ({"model.bin": bytes(range(200, 256))}, {"auc": 1.0}, "of a kind that we do not know"),
        ],
        1,
    ):
        house.version(house.max, files, metrics=metrics)
        with pytest.raises(NotPermitted, match="does not hold what champion asks for") as refused:
            proposed(house, str(number))
        assert says in refused.value.detail
        assert refused.value.fields["rule"] == "promotion.tests"


def test_a_job_must_have_succeeded_on_this_very_version(house: House) -> None:
    ruled(house, jobs=["evaluate"])
    house.version(house.max, GOOD)
    for argv, told in (
        (("evaluate.py", "models:/tree/1"), {"succeeds": False}),
        (("evaluate.py", "models:/tree/2"), {}),
        (("evaluate.py", "models:/tree/12"), {}),
        (("evaluate.py", "models:/tree/1"), {"name": "other"}),
    ):
        house.job(house.nina, *argv, **{"name": "evaluate"} | told)  # type: ignore[arg-type]
        assert rule_of(lambda: proposed(house)) == "promotion.tests"
    job = house.job(house.nina, "sh", "-c", "python evaluate.py models:/tree/1 --strict", name="evaluate")
    made = proposed(house)
    assert made.checks[0].found == job.id


def test_a_job_that_read_what_the_models_own_job_left_has_tested_it(house: House) -> None:
    ruled(house, jobs=["evaluate"])
    trained, other = house.job(house.max), house.job(house.max)
    results = {one.id: house.left(one, {"model.safetensors": safetensors()}) for one in (trained, other)}
    house.version(house.max, GOOD, job=trained)
    house.job(house.nina, "evaluate.py", name="evaluate", reads=results[other.id])
    assert rule_of(lambda: proposed(house, by=house.nina)) == "promotion.tests"
    job = house.job(house.nina, "evaluate.py", name="evaluate", reads=results[trained.id])
    assert proposed(house, by=house.nina).checks[0].found == job.id


def test_code_is_promoted_where_the_rule_allows_it_and_one_person_where_it_asks_for_no_other(house: House) -> None:
    ruled(house, allows_code=True, second_person=False)
    house.version(house.max, {"model.pkl": b"\x80\x04."})
    assert proposed(house).outcome is Outcome.AGREED
    assert champion(house) == 1


def test_files_that_changed_after_they_were_registered_are_not_promoted(house: House) -> None:
    ruled(house)
    version = house.version(house.max, GOOD)
    made = proposed(house)
    house.put(version.model_id, "model.safetensors", safetensors(b"1" * 8), by=house.max)
    with pytest.raises(Damaged):
        house.services.promoting.agree(made.id, by=house.nina)
    with pytest.raises(Damaged):
        house.services.promoting.propose(house.project, "tree", "1", "champion", "once more", by=house.max)
    assert champion(house) == 0


def test_an_alias_with_a_rule_moves_no_other_way_however_it_is_written(house: House) -> None:
    registry = house.services.registry
    for _ in range(2):
        house.version(house.max, GOOD)
    ruled(house)
    registry.set_alias(house.project, "tree", "best", 1, by=house.max)
    for alias in ("champion", "Champion", "CHAMPION"):
        assert rule_of(lambda alias=alias: registry.set_alias(house.project, "tree", alias, 1, by=house.lena)) == "promotion.rule"  # type: ignore[misc]  # fmt: skip
    house.services.promoting.agree(proposed(house).id, by=house.nina)
    registry.set_alias(house.project, "tree", "champion", 1, by=house.max)  # it stands there already
    assert rule_of(lambda: registry.set_alias(house.project, "tree", "champion", 2, by=house.max)) == "promotion.rule"
    assert rule_of(lambda: registry.drop_alias(house.project, "tree", "champion", by=house.max)) == "promotion.rule"
    house.town.clock.sleep(5)
    house.services.promoting.agree(proposed(house, "2").id, by=house.nina)
    assert champion(house) == 2
    assert rule_of(lambda: registry.set_alias(house.project, "tree", "champion", 1, by=house.max)) == "promotion.rule"


def test_what_stands_by_a_rule_is_not_taken_away_with_its_version_or_its_name(house: House) -> None:
    registry = house.services.registry
    for _ in range(2):
        house.version(house.max, GOOD)
    ruled(house)
    house.services.promoting.agree(proposed(house).id, by=house.nina)
    for act in (
        lambda: registry.model_versions.delete(house.project, "tree", 1, by=house.max),
        lambda: registry.rename(house.project, "tree", "bush", by=house.max),
        lambda: registry.unregister(house.project, "tree", by=house.max),
    ):
        assert rule_of(act) == "promotion.rule"
    registry.model_versions.delete(house.project, "tree", 2, by=house.max)
    assert champion(house) == 1
    house.services.promoting.remove_rule(house.project, "champion", by=house.lena)
    registry.rename(house.project, "tree", "bush", by=house.max)


def test_a_copy_is_its_first_authors_too(house: House) -> None:
    """Who registers the files of another under a new name does not make them his alone."""
    ruled(house)
    house.version(house.max, GOOD, name="first", job=house.job(house.max))
    registry, told = house.services.registry, {"run_id": "", "model_id": "", "description": "", "tags": {}}
    registry.register(house.project, "tree", by=house.nina)
    registry.add_version(house.project, "tree", source="models:/first/1", by=house.nina, **told)  # type: ignore[arg-type]
    assert house.services.facts.of(house.project, "tree", by=house.lena).authors == {
        house.max.person,
        house.nina.person,
    }
    made = proposed(house, by=house.lena)
    for author in (house.max, house.nina):
        assert rule_of(lambda author=author: house.services.promoting.agree(made.id, by=author)) == "promotion.author"  # type: ignore[misc]


def test_rules_are_a_leads_and_without_one_nothing_is_promoted(on_both: House) -> None:
    house = on_both
    promoting = house.services.promoting
    house.version(house.max, GOOD)
    with pytest.raises(NotFound):
        proposed(house)
    with pytest.raises(NotPermitted):
        promoting.set_rule(house.project, "champion", by=house.max)
    ruled(house, "auc>=0.9")
    ruled(house, "auc>=0.8")
    promoting.set_rule(house.project, "CHAMPION", limits=["auc>=0.7"], by=house.lena)
    assert [(one.alias, str(one.limits[0])) for one in promoting.rules(house.project, by=house.max)] == [
        ("champion", "auc>=0.7")
    ]
    with pytest.raises(NotPermitted):
        promoting.remove_rule(house.project, "champion", by=house.max)
    promoting.remove_rule(house.project, "champion", by=house.lena)
    house.services.registry.set_alias(house.project, "tree", "champion", 1, by=house.max)
    with pytest.raises(NotFound):
        promoting.remove_rule(house.project, "champion", by=house.lena)


def test_one_proposal_at_a_time_and_what_is_decided_stays_so(on_both: House) -> None:
    house = on_both
    promoting = house.services.promoting
    ruled(house)
    house.version(house.max, GOOD)
    first = proposed(house)
    with pytest.raises(AlreadyExists):
        proposed(house, by=house.nina)
    promoting.refuse(first.id, "not yet", by=house.max)
    with pytest.raises(WrongState):
        promoting.agree(first.id, by=house.nina)
    second, people = proposed(house), (house.nina, house.lena)
    outcomes = at_once(lambda number: promoting.agree(second.id, by=people[number % 2]), times=4)
    assert sorted(type(one).__name__ for one in outcomes) == ["Promotion", "WrongState", "WrongState", "WrongState"]


def test_strangers_and_jobs_decide_nothing_and_learn_nothing(house: House) -> None:
    promoting, stranger = house.services.promoting, house.town.person("stranger")
    ruled(house)
    house.version(house.max, GOOD)
    made = proposed(house)
    inside = house.inside(house.job(house.nina))
    for act in (
        lambda: promoting.agree(made.id, by=stranger),
        lambda: promoting.agree("prm_unknown", by=stranger),
        lambda: promoting.refuse(made.id, "x", by=stranger),
        lambda: promoting.propose(house.project, "tree", "1", "champion", "x", by=inside),
        lambda: promoting.agree(made.id, by=inside),
    ):
        with pytest.raises((NotFound, NotPermitted)) as refused:
            act()
        assert isinstance(refused.value, FabriekError)
    assert promoting.waiting(by=stranger) == []
    assert champion(house) == 0
