"""Policies in files: what does not add up, and what nobody knows, is refused with what would do."""

from pathlib import Path
from typing import Any

import pytest

from fabriek.compute.order import FirstCome, Stretch
from fabriek.compute.sharing.rules import DAY, RULES_HERE, ShareRules
from fabriek.compute.simulator.policies import assigned, policy_named, policy_of, with_terms
from fabriek.compute.simulator.recorded import Recorded
from fabriek.kernel.errors import InvalidInput, NotFound
from tests.factories.compute import a_row

SHARES = [{"name": "europe", "part": 0.5, "of": [3]}, {"name": "nation", "part": 0.3}, {"name": "defence", "part": 0.2}]


def test_two_have_names_and_any_other_is_a_file(tmp_path: Path) -> None:
    assert policy_named("easy").order == FirstCome()
    assert policy_named("default").order == Stretch()
    file = tmp_path / "mine.toml"
    file.write_text('by = "user"\n[order]\nkind = "stretch"\nlength_power = 1\n[[share]]\nname = "all"\npart = 1\n')
    found = policy_named(str(file))
    assert (found.name, found.by, found.order, found.parts) == (
        "mine",
        "user",
        Stretch(length_power=1),
        {"all": 1_000_000},
    )
    with pytest.raises(NotFound) as refused:
        policy_named("best")
    assert "easy, default" in refused.value.fix


@pytest.mark.parametrize("said", [
    {"share": [{"name": "a", "part": 0.5}]},
    {"share": [{"name": "a", "part": 0.5}, {"name": "a", "part": 0.5}]},
    {"share": [{"name": "a", "part": -1}, {"name": "b", "part": 2}]},
    {"share": [{"name": "a", "part": True}]},
    {"share": [{"name": "a", "part": 1, "colour": "red"}]},
    {"share": ["a"]},
    {"shares": []},
    {"by": "colour"},
    {"order": {"kind": "best"}},
    {"order": {"kind": "first_come", "length_power": 1}},
    {"order": {"patience": 1}},
    {"order": {"length_power": -1}},
    {"order": {"length_power": "much"}},
    {"share": [{"name": "a", "part": 1}, {"name": "b", "part": 0.5, "within": "c"}]},
    {"share": [{"name": "a", "part": 1}, {"name": "b", "part": 0.6, "within": "a"}, {"name": "c", "part": 0.6, "within": "a"}]},
    {"share": [{"name": "a", "part": 1, "within": "a"}]},
    {"share": [{"name": "a", "part": 1, "ceiling": 2}]},
    {"share": [{"name": "a", "part": 1, "preemptible": "yes"}]},
    {"share": [{"name": "a", "part": 1, "of": 3}]},
    {"share": {"name": "a", "part": 0.5}},
    {"rules": {"patience": 3}},
    {"rules": {"borrowers_yield": 1}},
    {"rules": {"budget_days": True}},
    {"rules": {"budget_days": -1}},
    {"rules": {"pay_back_days": 0}},
    {"rules": 3},
])  # fmt: skip
def test_what_does_not_add_up_or_is_not_known_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        policy_of("mine", said)


def test_shares_within_shares_and_rules_are_read_and_jobs_marked_that_may_be_put_back() -> None:
    rows = [
        {"name": "nation", "part": 1.0}, {"name": "industry", "part": 0.2, "within": "nation", "ceiling": 0.3, "preemptible": True},
    ]  # fmt: skip
    said = {
        "share": rows,
        "rules": {"borrowers_yield": True, "budget_days": 7, "reserved": 2, "checkpoint_minutes": 30},
    }
    found = policy_of("mine", said)
    assert found.rules == ShareRules(
        {"industry": "nation"}, {"industry": 300_000}, borrowers_yield=True, budget_seconds=7 * DAY,
        pay_back_seconds=RULES_HERE.pay_back_seconds, owner_seconds=RULES_HERE.owner_seconds, reserved=2,
    )  # fmt: skip
    marked = with_terms([a_row("one", share="industry"), a_row("two", share="nation")], found)
    assert [(row.preemptible, row.checkpoint_seconds) for row in marked] == [(True, 1_800), (False, 0)]


def test_jobs_go_to_the_share_that_names_them_and_the_rest_in_turn() -> None:
    policy = policy_of("mine", {"share": SHARES})
    jobs = [Recorded(str(number), 0, 1, 1, words={"group": group}) for number, group in enumerate("3121453")]
    found = assigned(jobs, policy)
    assert {found["0"], found["6"]} == {"europe"}
    assert found["1"] == found["3"]
    assert {found["1"], found["2"], found["4"], found["5"]} == {"nation", "defence"}
