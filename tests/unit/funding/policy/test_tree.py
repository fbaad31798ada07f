"""Rows that say how shares stand to each other: read, refused with a word that helps, and resolved to the shares that are there on a day."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.compute.sharing.agreed import agreed
from fabriek.compute.sharing.rules import RULES_HERE, ShareRules
from fabriek.funding.giving.contributions import FunderKind
from fabriek.funding.giving.shares import Share
from fabriek.funding.policy.comparing import View, losses
from fabriek.funding.policy.policy import Policy, policy_of, shipped_policy
from fabriek.funding.policy.rows import all_rows, canonical, name_of, rows_on, said
from fabriek.funding.policy.tree import Tree, branches_of, check_tree, tree_on
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.units import MICRO

DAY, LATER = date(2027, 1, 1), date(2027, 6, 1)
NAMES = ("economy", "education", "europe")
SHARES = [Share(f"shr_{name}", f"org_{name}", FunderKind.NATIONAL, name) for name in NAMES]
PARTS = {"shr_economy": 200_000, "shr_education": 300_000, "shr_europe": 500_000}


def share(name: str, fields: str = "", day: date = DAY) -> str:
    return f'[[share]]\nname = "{name}"\n{fields}\nvalid_from = {day}\nsource = "a letter"\n'


def borrowing(fields: str = "borrowers_yield = true", day: date = DAY) -> str:
    return f'[[borrowing]]\n{fields}\nvalid_from = {day}\nsource = "a letter"\n'


PUBLIC = share("economy", 'within = "public"') + share("education", 'within = "public"\nceiling = 0.4')


def tree(text: str, on: date = DAY) -> Tree:
    policy = policy_of(text)
    return tree_on(policy.branches, policy.borrowings, on, SHARES)


def test_names_become_the_shares_and_groups_of_the_day_and_nothing_holds_before_it() -> None:
    found = tree(PUBLIC + share("public", "ceiling = 0.75") + borrowing())
    assert found == Tree(
        {"shr_economy": "group:public", "shr_education": "group:public"}, {"shr_education": 400_000, "group:public": 750_000},
        borrowers_yield=True,
    )  # fmt: skip
    assert (found.group("shr_economy"), found.group("shr_europe")) == ("public", "")
    assert (found.ceiling_above("shr_education"), found.ceiling_above("shr_europe")) == (750_000, None)
    assert tree(PUBLIC, date(2026, 12, 31)) == Tree()


def test_a_newer_row_takes_over_the_whole_of_what_a_name_says() -> None:
    text = PUBLIC + share("education", 'within = "public"', LATER)
    assert tree(text).ceilings == {"shr_education": 400_000}
    assert tree(text, LATER) == Tree({"shr_economy": "group:public", "shr_education": "group:public"})


def test_groups_lie_within_groups() -> None:
    deep = (
        PUBLIC + share("public", 'within = "all"') + share("europe", 'within = "all"') + share("all", "ceiling = 0.9")
    )
    found = agreed(View(policy_of(deep), DAY, PARTS), lambda: SHARES)
    assert found.rules.path("shr_economy") == ("group:all", "group:public", "shr_economy")
    assert found.parts == {**PARTS, "group:public": 500_000, "group:all": MICRO}
    assert tree(deep).ceiling_above("shr_economy") == 900_000


BAD = [
    (share("public", 'within = "public"'), "public would lie within itself"),
    (share("a", 'within = "b"') + share("b", 'within = "c"') + share("c", 'within = "a"'), "would lie within itself"),
    (share("economy", 'in = "public"'), "it has no 'in'; its words are ceiling, name, within, valid_from and source"),
    (share("economy", "ceiling = 1.1"), "1.1 does not lie between 0 and 1"),
    (share("economy", "ceiling = -0.1"), "-0.1 does not lie between 0 and 1"),
    (share("economy", "ceiling = true"), "is not an amount"),
    (share("economy", "ceiling = nan"), "is not an amount"),
    (share("economy", "ceiling = 0.12345678"), "finer than a millionth"),
    (share(""), "name is empty"),
    (share("economy", "within = 3"), "names of at most 100 characters"),
    (share("x" * 101), "names of at most 100 characters"),
    (share("a\\u0007b"), "names of at most 100 characters"),
    ('[[share]]\nwithin = "public"\nvalid_from = 2027-01-01\nsource = "x"', "lacks 'name'"),
    ('[[share]]\nname = "economy"\nsource = "x"', "no day in valid_from"),
    ('[[share]]\nname = "economy"\nvalid_from = 2027-01-01', "names no source"),
    (share("economy", 'within = "public"') + share("economy", 'within = "other"'), "number 1 and number 2 are both for economy from 2027-01-01"),
    (borrowing("borrowers_yield = 1"), "borrowers_yield is true or false"),
    (borrowing("yields = true"), "it has no 'yields'"),
    (borrowing(""), "lacks 'borrowers_yield'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), BAD)
def test_a_row_that_cannot_be_is_refused_with_what_mends_it(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(why)) as refused:
        policy_of(text)
    assert refused.value.fix


NO_TREE = [
    (share("economy", 'within = "pulbic"'), "", "economy alone lies within pulbic, which says nothing"),
    (share("economy", 'within = "europe"') + share("education", 'within = "europe"'), "", "europe is a share"),
    (share("ecomony", "ceiling = 0.5"), "", "there is no share ecomony"),
    (PUBLIC + share("nobody", 'within = "public"'), "", "there is no share nobody"),
    (share("nobody"), "", "there is no share nobody"),
    # What was agreed on for a later day is no tree with what is new.
    (PUBLIC + share("public", 'within = "all"'), share("all", 'within = "public"', LATER), "would lie within itself"),
    (PUBLIC, share("education", day=LATER), "on 2027-06-01 economy alone lies within public"),
]


@pytest.mark.parametrize(("text", "later", "why"), NO_TREE)
def test_rows_that_together_make_no_tree_on_some_day_are_refused(text: str, later: str, why: str) -> None:
    new = branches_of(text)
    all_of_them = (*new, *(branches_of(later) if later else ()))
    if "itself" in why:
        all_of_them += branches_of(share("europe", 'within = "all"'))
    with pytest.raises(InvalidInput, match=re.escape(why)) as refused:
        check_tree(all_of_them, new, DAY, NAMES)
    assert refused.value.fix


def test_a_group_is_ended_by_a_row_for_each_that_lay_within_it() -> None:
    before = branches_of(PUBLIC + share("public", "ceiling = 0.7"))
    end = branches_of(share("economy", day=LATER) + share("education", day=LATER) + share("public", day=LATER))
    check_tree((*before, *end), end, LATER, NAMES)
    assert tree_on((*before, *end), (), LATER, SHARES) == Tree(idle=("public",))
    bounded = branches_of(share("public", "ceiling = 0.5", LATER))
    with pytest.raises(InvalidInput, match="there is no share public"):
        check_tree((*before, *end[:2], *bounded), bounded, LATER, NAMES)


def test_a_name_that_no_share_has_counts_for_nothing_and_is_told() -> None:
    found = tree(PUBLIC + share("province", "ceiling = 0.1") + share("town", 'within = "public"'))
    assert found.idle == ("province", "town")
    assert set(found.parents) == {"shr_economy", "shr_education"}
    assert set(found.ceilings) == {"shr_education"}


def test_a_group_keeps_its_name_where_a_share_is_called_like_it_later() -> None:
    shares = [*SHARES, Share("shr_public", "org_public", FunderKind.REGIONAL, "public")]
    found = tree_on(branches_of(PUBLIC + share("public", "ceiling = 0.5")), (), DAY, shares)
    assert found.ceilings == {"shr_education": 400_000, "group:public": 500_000}


def test_without_rows_admission_has_the_rules_of_the_machine_and_nobody_is_asked_for_shares() -> None:
    def nobody() -> list[Share]:
        raise AssertionError

    found = agreed(View(shipped_policy(), DAY, PARTS), nobody)
    assert (found.parts, found.rules) == (PARTS, RULES_HERE)


def test_a_group_has_the_parts_of_those_within_it_as_they_are_that_day() -> None:
    policy = policy_of(PUBLIC + borrowing())
    found = agreed(View(policy, DAY, PARTS), lambda: SHARES)
    assert found.parts == {**PARTS, "group:public": 500_000}
    assert (found.rules.borrowers_yield, found.rules.budget_seconds) == (True, RULES_HERE.budget_seconds)
    left = {"shr_education": 600_000, "shr_europe": 400_000}
    assert agreed(View(policy, DAY, left), lambda: SHARES).parts == {**left, "group:public": 600_000}


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.integers(0, 10**6)))
def test_what_lies_at_the_top_sums_to_what_all_have(parts: dict[str, int]) -> None:
    rules = ShareRules({"a": "one", "b": "one", "one": "two", "c": "two"})
    found = rules.summed(parts)
    assert sum(part for name, part in found.items() if name in {"two", "d"}) == sum(parts.values())
    assert found.get("one", 0) == parts.get("a", 0) + parts.get("b", 0)


def test_what_is_shipped_is_no_row_and_its_example_reads() -> None:
    assert shipped_policy().branches == shipped_policy().borrowings == ()
    text = shipped("fabriek.funding", "shares.toml")
    example = "\n".join(one.removeprefix("#") for one in text.splitlines()[text.splitlines().index("# [[share]]") :])
    policy = policy_of(example)
    assert (len(policy.branches), len(policy.borrowings)) == (3, 1)
    check_tree(policy.branches, policy.branches, DAY, {"economy", "education"})


def test_a_row_has_a_name_words_and_a_line_of_its_own() -> None:
    policy = policy_of(PUBLIC + borrowing())
    assert {name: said(row) for name, row in rows_on(policy, DAY).items()} == {
        "borrowing": "beyond its own part a share starts such jobs only as may be put back",
        "share economy": "within public",
        "share education": "within public, at most 40 % of the machine at one moment",
    }
    assert len({canonical(row) for row in all_rows(policy)}) == 3
    assert {name_of(row) for row in all_rows(policy + Policy())} == set(rows_on(policy, DAY))


def test_any_change_of_it_is_a_loss_for_all_and_saying_the_same_again_for_nobody() -> None:
    start = shipped_policy()
    for text, why in (
        (share("europe", "ceiling = 0.5"), "share europe: within no other, becomes within no other, at most 50 % of the machine at one moment"),
        (PUBLIC, "share economy: within no other, becomes within public"),
        (borrowing(), "borrowing: a share may start any job on what others leave, becomes beyond its own part"),
    ):  # fmt: skip
        found = losses(SHARES, [(View(start, DAY, PARTS), View(start + policy_of(text), DAY, PARTS))])
        assert set(found) == set(PARTS), text
        assert all(why in " ".join(whys) for whys in found.values())
    had = start + policy_of(PUBLIC + borrowing())
    again = had + policy_of(PUBLIC.replace(str(DAY), str(LATER)) + borrowing(day=LATER))
    assert losses(SHARES, [(View(had, LATER, PARTS), View(again, LATER, PARTS))]) == {}
    nothing = policy_of(share("europe") + borrowing("borrowers_yield = false"))
    assert losses(SHARES, [(View(start, DAY, PARTS), View(start + nothing, DAY, PARTS))]) == {}
