import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.vault.labelling.labels import Label, Labels, Retired
from fabriek.vault.labelling.policy import labels_of, read_labels, shipped_labels

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
    assert (LABELS.default, LABELS.usual_ceiling) == ("internal", "special-category")


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
    assert all(part in [*inputs, one] for part in joined.split("+"))


@given(some_labels, some_labels)
def test_joining_in_any_order_and_twice_gives_the_same(some: list[str], others: list[str]) -> None:
    both = LABELS.highest([*some, *others])
    assert both == LABELS.highest([*others, *some])
    assert both == LABELS.highest([LABELS.highest(some), LABELS.highest(others)])
    assert both == LABELS.highest([both, both])


def random_graph(seed: int) -> None:
    """Things made of earlier things, each with a label of its own or a join of two: none is ever below anything it came from."""
    chance = random.Random(seed)  # noqa: S311  # a test repeats by its seed
    carried: list[tuple[str, frozenset[int]]] = []
    for _ in range(chance.randrange(1, 20)):
        own = LABELS.highest(chance.sample(LABELS.names, chance.randrange(1, 3)))
        sources = (
            frozenset(chance.randrange(len(carried)) for _ in range(chance.randrange(4))) if carried else frozenset()
        )
        label = LABELS.highest([own, *(carried[one][0] for one in sources)])
        ancestors = sources.union(*(carried[one][1] for one in sources))
        assert not any(LABELS.exceeds(carried[one][0], label) for one in ancestors), seed
        assert not LABELS.exceeds(own, label), seed
        assert LABELS.of(label).name == label, seed
        assert not any(
            LABELS.needs_agreement(carried[one][0]) and not LABELS.needs_agreement(label) for one in ancestors
        )
        carried.append((label, ancestors))


def test_along_a_thousand_derivation_graphs_labels_only_go_up() -> None:
    """100,000 of them: `make faults`."""
    for seed in range(1_000):
        random_graph(seed)


def orders() -> st.SearchStrategy[list[Label]]:
    """Policies: each label above some of those before it, and all above the first."""

    def build(rows: list[set[int]]) -> list[Label]:
        rows = [set(), *rows]
        return [
            Label(f"l{number}", tuple(f"l{one % number}" for one in sorted(row or {0})) if number else ())
            for number, row in enumerate(rows)
        ]

    return st.lists(st.sets(st.integers(0, 9), max_size=3), max_size=7).map(build)


@given(orders())
def test_in_every_policy_any_two_labels_have_one_join_and_it_is_the_least_above_both(policy: list[Label]) -> None:
    labels = Labels(policy)
    all_joins = {labels.highest(pair) for pair in itertools.combinations_with_replacement(labels.names, 2)}
    for one, other in itertools.combinations(sorted(all_joins), 2):
        join = labels.highest([one, other])
        assert join == labels.highest([other, one])
        assert not labels.exceeds(one, join)
        assert not labels.exceeds(other, join)
        for upper in all_joins:
            if not labels.exceeds(one, upper) and not labels.exceeds(other, upper):
                assert not labels.exceeds(join, upper)
        # Two that each lie at or below the other are one and the same word.
        assert labels.exceeds(one, other) or labels.exceeds(other, one)


def test_what_is_two_things_at_once_carries_both_and_asks_for_what_each_asks() -> None:
    both = LABELS.highest(["export-controlled", "personal"])
    assert both == "personal+export-controlled"
    assert LABELS.of("Export-Controlled + personal").name == both
    assert LABELS.of("personal+special-category").name == "special-category"
    assert LABELS.exceeds(both, "personal")
    assert LABELS.exceeds(both, "export-controlled")
    assert LABELS.exceeds("personal", "export-controlled")
    assert LABELS.exceeds("export-controlled", "special-category")
    assert not LABELS.exceeds(both, "departementaal-vertrouwelijk")
    assert LABELS.withholds_logs(both)
    assert LABELS.needs_agreement(both)
    assert not LABELS.needs_accreditation(both)


@pytest.mark.parametrize(
    ("label", "lower"),
    [
        ("open", []),
        ("personal", ["confidential-business", "internal", "open"]),
        ("personal+export-controlled", ["export-controlled", "personal", "confidential-business", "internal", "open"]),
    ],
)
def test_what_a_label_may_be_lowered_to_is_what_lies_below_it_the_highest_first(label: str, lower: list[str]) -> None:
    assert LABELS.below(label) == lower


def test_of_three_things_at_once_any_two_are_lower() -> None:
    labels = Labels([Label("open"), *(Label(name, above=("open",)) for name in ("a", "b", "c"))])
    assert labels.below("c+b+a") == ["b+c", "a+c", "a+b", "c", "b", "a", "open"]
    assert labels.below("a+b") == ["b", "a", "open"]


@pytest.mark.parametrize(
    ("word", "now"), [("BBN1", "internal"), ("tbb3", "stg-confidentieel"), ("bbn2", "confidential-business")]
)
def test_words_of_replaced_schemes_are_understood_as_the_labels_of_today(word: str, now: str) -> None:
    assert LABELS.of(word).name == now
    assert {one.successor for one in LABELS.retired if one.name == word.lower()} & {"BIO2 (2025)", "ABRO 2026"}


@pytest.mark.parametrize("word", ["+", "personal+", "+open", "personal++open", "personal+secret"])
def test_a_join_with_a_part_that_is_no_label_is_refused(word: str) -> None:
    with pytest.raises(InvalidInput):
        LABELS.of(word)


def test_nothing_derived_from_nothing_is_open() -> None:
    assert LABELS.highest([]) == LABELS.lowest == "open"


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ([], "none"),
        ([Label("a"), Label("b", ("a",), aliases=("a",))], "twice"),
        ([Label("a", needs_agreement=True), Label("b", ("a",))], "asks for less"),
        ([Label("a", logs_withheld=True), Label("b", ("a",), needs_agreement=True)], "asks for less"),
        ([Label("a"), Label("b")], "does not lie above"),
        ([Label("a"), Label("b", ("c",)), Label("c", ("b",))], "does not stand before"),
        ([Label("a"), Label("b", ("b",))], "does not stand before"),
        ([Label("a"), Label("b+c", ("a",))], "not a name"),
        ([Label("a"), Label("B", ("a",))], "not a name"),
    ],
)
def test_a_policy_that_is_no_lattice_is_refused_with_its_label(policy: list[Label], says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Labels(policy)
    assert says in refused.value.detail


def test_an_old_word_that_became_no_label_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Labels([Label("a")], [Retired("old", "b", "S", "T")])


ROW = '[[label]]\nname = "a"\nsource = "s"\nvalid_from = 2026-01-01\n'


@pytest.mark.parametrize(
    "extra", ["needs_agreemnt = true", "needs_agreement = 1", 'places = "NL"', "above = [1]", "rank = 3", "above = ["]
)
def test_a_misspelt_field_of_the_policy_stops_it(extra: str) -> None:
    with pytest.raises(InvalidInput):
        read_labels(ROW + extra + "\n")


def test_an_operators_file_takes_the_place_of_ours_and_is_named_where_it_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "labels.toml"
    file.write_text(ROW + ROW.replace('"a"', '"b"') + 'above = ["a"]\nplaces = ["NL"]\n')
    assert labels_of(file).names == ("a", "b")
    assert labels_of(file).bounds("b") == [("NL",)]
    assert labels_of(None).names == LABELS.names
    file.write_text(ROW + ROW)
    with pytest.raises(InvalidInput, match=r"labels\.toml"):
        labels_of(file)
    with pytest.raises(InvalidInput):
        labels_of(tmp_path / "none.toml")
