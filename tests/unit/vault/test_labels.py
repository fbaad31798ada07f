import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.vault.labels import DEFAULT, Label, Labels, read_labels, shipped_labels

LABELS = shipped_labels()
some_labels = st.lists(st.sampled_from(LABELS.names), max_size=6)


def test_the_shipped_chain_is_the_one_of_the_policy() -> None:
    assert LABELS.names == (
        "open", "internal", "confidential-business", "personal", "special-category", "export-controlled",
        "departementaal-vertrouwelijk", "stg-confidentieel", "stg-geheim", "stg-zeer-geheim",
    )  # fmt: skip
    assert next(name for name in LABELS.names if LABELS.needs_agreement(name)) == "personal"
    assert next(name for name in LABELS.names if LABELS.withholds_logs(name)) == "export-controlled"
    assert next(name for name in LABELS.names if LABELS.needs_accreditation(name)) == "departementaal-vertrouwelijk"
    assert LABELS.of(DEFAULT).name == "internal"


@pytest.mark.parametrize("spelling", ["stg.geheim", "Stg. Geheim", " STG-GEHEIM ", "stg.g."])
def test_both_spellings_of_state_secrets_are_known(spelling: str) -> None:
    assert LABELS.of(spelling).name == "stg-geheim"


@pytest.mark.parametrize("name", ["", "secret", "open\0", "opén", "stg", "x" * 10_000])
def test_a_word_that_is_no_label_is_refused_and_not_echoed_at_length(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        LABELS.of(name)
    assert len(refused.value.detail) < 200


@given(some_labels, st.sampled_from(LABELS.names))
def test_a_result_never_has_a_lower_label_than_any_of_its_inputs(inputs: list[str], one: str) -> None:
    joined = LABELS.highest([*inputs, one])
    assert not any(LABELS.exceeds(name, joined) for name in [*inputs, one])
    assert joined in [*inputs, one]


@given(some_labels, some_labels)
def test_joining_in_any_order_and_twice_gives_the_same(some: list[str], others: list[str]) -> None:
    both = LABELS.highest([*some, *others])
    assert both == LABELS.highest([*others, *some])
    assert both == LABELS.highest([LABELS.highest(some), LABELS.highest(others)])
    assert both == LABELS.highest([both, both])


@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=20), st.data())
def test_along_any_derivation_graph_labels_only_go_up(graph: list[list[int]], data: st.DataObject) -> None:
    carried: list[str] = []
    for sources in graph:
        own = data.draw(st.sampled_from(LABELS.names))
        inputs = [carried[source % len(carried)] for source in sources] if carried else []
        carried.append(LABELS.highest([own, *inputs]))
        assert not any(LABELS.exceeds(name, carried[-1]) for name in inputs)


def test_nothing_derived_from_nothing_is_open() -> None:
    assert LABELS.highest([]) == LABELS.lowest == "open"


def test_a_chain_in_which_a_higher_label_asks_for_less_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Labels([Label("a", 0, needs_agreement=True), Label("b", 1)])
    with pytest.raises(InvalidInput):
        Labels([Label("a", 0, logs_withheld=True), Label("b", 1, needs_agreement=True, needs_accreditation=True)])


def test_a_chain_with_a_name_twice_or_none_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Labels([Label("a", 0), Label("b", 1, aliases=("a",))])
    with pytest.raises(InvalidInput):
        Labels([])


def test_a_misspelt_field_of_the_policy_stops_it() -> None:
    row = '[[label]]\nname = "a"\nneeds_agreemnt = true\nsource = "s"\nvalid_from = 2026-01-01\n'
    with pytest.raises(InvalidInput):
        read_labels(row)
