from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.clock import FakeClock
from fabriek.vault.agreeing.agreements import Agreement, DataRight
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.labelling.policy import shipped_labels
from fabriek.vault.rules import Asker, may, may_hold

LABELS = shipped_labels()
NOW = FakeClock().now()
TODAY = FakeClock().today()
DATA = Dataset("ds_1", "prj_home", "biopsies", "org_owner", "special-category", Kind.DATA, NOW, "per_1")
GUEST = Asker("prj_home", "org_guest", "civilian", in_home=True, manages_home=True, today=TODAY)
OWNER = replace(GUEST, organisation="org_owner")
AGREEMENT = Agreement(
    "agr_1", "ds_1", "prj_home", frozenset({"civilian"}), DataRight.COMPUTE, TODAY + timedelta(days=30), "per_1", NOW
)

purposes = st.sampled_from(["civilian", "dual_use", "exclusively_military"])
projects = st.sampled_from(["prj_home", "prj_other", ""])
days = st.dates(TODAY - timedelta(days=40), TODAY + timedelta(days=40))
rights = st.sampled_from(list(DataRight))
datasets = st.builds(
    replace,
    st.just(DATA),
    label=st.sampled_from(LABELS.names),
    organisation=st.sampled_from(["org_owner", "org_guest"]),
)
askers = st.builds(
    Asker, projects, st.sampled_from(["org_owner", "org_guest"]), purposes, st.booleans(), st.booleans(), st.just(TODAY)
)
agreements = st.lists(
    st.builds(
        Agreement, st.just("agr_1"), st.just("ds_1"), projects, st.frozensets(purposes, min_size=1), rights, days,
        st.just("per_1"), st.just(NOW), st.sampled_from([None, NOW]),
    ), max_size=4,
)  # fmt: skip


def compute(dataset: Dataset, held: list[Agreement], asker: Asker = GUEST) -> str:
    refusal = may(dataset, held, asker, DataRight.COMPUTE, LABELS)
    return refusal.rule if refusal else "allowed"


def test_personal_data_needs_an_agreement_even_at_home_and_even_for_its_owner() -> None:
    assert compute(DATA, []) == "agreement.required"
    assert compute(DATA, [], OWNER) == "agreement.required"
    assert compute(DATA, [AGREEMENT]) == "allowed"


def test_data_below_personal_may_be_computed_on_at_home_and_nowhere_else() -> None:
    internal = replace(DATA, label="internal")
    assert compute(internal, []) == "allowed"
    assert compute(internal, [], replace(GUEST, project="prj_other")) == "agreement.required"
    assert compute(internal, [], replace(GUEST, in_home=False)) == "agreement.required"


def test_an_agreement_counts_on_its_last_day_and_not_after() -> None:
    last = replace(AGREEMENT, until=TODAY)
    assert compute(DATA, [last]) == "allowed"
    assert compute(DATA, [last], replace(GUEST, today=TODAY + timedelta(days=1))) == "agreement.ended"


def test_an_agreement_that_was_ended_counts_no_more() -> None:
    assert compute(DATA, [replace(AGREEMENT, ended_at=NOW)]) == "agreement.ended"


def test_an_agreement_holds_for_its_purposes_only() -> None:
    assert compute(DATA, [AGREEMENT], replace(GUEST, purpose="exclusively_military")) == "agreement.purpose"


def test_an_agreement_with_another_project_is_none_and_is_not_told() -> None:
    other = replace(AGREEMENT, project="prj_other", purposes=frozenset({"dual_use"}))
    refusal = may(DATA, [other], GUEST, DataRight.COMPUTE, LABELS)
    assert refusal == may(DATA, [], GUEST, DataRight.COMPUTE, LABELS)


@pytest.mark.parametrize("wanted", [DataRight.VIEW, DataRight.TAKE_AWAY])
def test_only_the_owner_looks_at_or_takes_away_without_an_agreement_that_says_so(wanted: DataRight) -> None:
    assert may(DATA, [], OWNER, wanted, LABELS) is None
    refusal = may(DATA, [AGREEMENT], GUEST, wanted, LABELS)
    assert refusal is not None
    assert refusal.rule == f"data.{wanted.value}"
    assert may(DATA, [replace(AGREEMENT, right=wanted)], GUEST, wanted, LABELS) is None


def test_an_owner_without_the_right_to_manage_at_home_is_nobody() -> None:
    assert may(DATA, [], replace(OWNER, manages_home=False), DataRight.TAKE_AWAY, LABELS) is not None


@pytest.mark.parametrize("kind", [Kind.OUTPUT, Kind.CODE])
def test_what_a_job_made_belongs_to_the_members_of_its_project(kind: Kind) -> None:
    made = replace(DATA, kind=kind, organisation="org_lead")
    assert may(made, [], GUEST, DataRight.TAKE_AWAY, LABELS) is None
    assert may(made, [], replace(GUEST, in_home=False), DataRight.TAKE_AWAY, LABELS) is not None
    assert may(made, [], replace(GUEST, project="prj_other"), DataRight.COMPUTE, LABELS) is not None


@given(datasets, agreements, askers)
def test_from_personal_up_there_is_no_computing_without_an_agreement_in_force_for_project_and_purpose(
    dataset: Dataset, held: list[Agreement], asker: Asker
) -> None:
    refusal = may(dataset, held, asker, DataRight.COMPUTE, LABELS)
    fitting = [
        one for one in held
        if one.project == asker.project != "" and asker.purpose in one.purposes and one.until >= TODAY and one.ended_at is None
    ]  # fmt: skip
    if LABELS.needs_agreement(dataset.label):
        assert (refusal is None) == bool(fitting)
    elif refusal is None:
        assert fitting or (asker.in_home and asker.project == dataset.project)


@given(datasets, agreements, askers)
def test_taking_away_is_the_owners_or_was_given_by_name(dataset: Dataset, held: list[Agreement], asker: Asker) -> None:
    if may(dataset, held, asker, DataRight.TAKE_AWAY, LABELS) is None:
        is_owner = asker.organisation == dataset.organisation and asker.manages_home
        assert is_owner or any(one.right is DataRight.TAKE_AWAY and one.project == asker.project for one in held)


@given(datasets, agreements, askers, rights, st.sampled_from(LABELS.names))
def test_raising_a_label_never_allows_more(
    dataset: Dataset, held: list[Agreement], asker: Asker, wanted: DataRight, label: str
) -> None:
    raised = replace(dataset, label=LABELS.highest([dataset.label, label]))
    if may(dataset, held, asker, wanted, LABELS) is not None:
        assert may(raised, held, asker, wanted, LABELS) is not None


@given(datasets, agreements, askers, rights)
def test_every_refusal_says_its_rule_a_sentence_and_what_helps(
    dataset: Dataset, held: list[Agreement], asker: Asker, wanted: DataRight
) -> None:
    refusal = may(dataset, held, asker, wanted, LABELS)
    if refusal is not None:
        assert refusal.rule
        assert refusal.sentence
        assert refusal.fix


@pytest.mark.parametrize("label", [name for name in LABELS.names if LABELS.needs_accreditation(name)])
def test_state_labels_are_refused_unless_the_installation_is_accredited(label: str) -> None:
    refused = may_hold(label, "stg-zeer-geheim", LABELS, accredited=False)
    assert refused is not None
    assert refused.rule == "label.accreditation"
    assert may_hold(label, "stg-zeer-geheim", LABELS, accredited=True) is None


def test_a_label_above_the_ceiling_is_refused_and_one_at_it_is_not() -> None:
    refused = may_hold("personal", "internal", LABELS, accredited=False)
    assert refused is not None
    assert refused.rule == "label.ceiling"
    assert may_hold("personal", "personal", LABELS, accredited=False) is None


def test_the_day_is_the_installations_civil_day() -> None:
    assert date(2026, 11, 24) == TODAY
