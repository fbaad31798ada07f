"""The policy is changed in one place: nothing else writes its tables, agrees on a proposal, or makes a book of other rows."""

import re
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "fabriek"
FILES = {str(file.relative_to(SOURCE)): file.read_text("utf-8") for file in SOURCE.rglob("*.py")}


def where(pattern: str) -> set[str]:
    found = {name for name, text in FILES.items() if re.search(pattern, text)}
    assert found, f"nothing says {pattern}: this test looks for what is no longer there"
    return found


def test_its_tables_have_one_store() -> None:
    assert {name for name in where(r"funding_policy_(proposals|start)") if "migrations/" not in name} == {
        "funding/policy/store_proposals.py"
    }


def test_one_service_agrees_and_keeps_what_it_began_with() -> None:
    assert where(r"_kept\.agree\(|\bkeep_start\(self\._starts") == {"funding/policy/changing.py"}
    assert where(r"store_proposals import") == {"bootstrap/funding.py"}


def test_what_is_in_force_is_put_together_at_the_start_alone_and_by_what_was_signed() -> None:
    assert where(r"\bPolicyBook\(") == {"bootstrap/funding.py"}
    assert where(r"\bshipped_policy\(\)") == {"bootstrap/building.py", "funding/policy/policy.py"}
    # Everything else is given the book, whose rows are what `Agreed` read and checked.
    assert "return PolicyBook(start, agreed, agreed.renew)" in FILES["bootstrap/funding.py"]
    assert "check_start(kept, start)" in FILES["bootstrap/funding.py"]


def test_rates_of_a_file_reach_nothing_but_the_start() -> None:
    assert where(r"\brates_for\(") == {"bootstrap/funding.py", "bootstrap/machinery.py"}
    assert 'rates=money["policy"].rates' in FILES["bootstrap/building.py"]
