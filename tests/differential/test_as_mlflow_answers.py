"""What our server answers is what MLflow's answers, field by field, but for the differences that are meant."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.differential.conftest import Answers
from tests.differential.intended import INTENDED, Difference
from tests.differential.script import SCRIPT
from tests.differential.session import differences

pytestmark = [
    pytest.mark.xdist_group("mlflow"),
    pytest.mark.timeout(900),
]  # two thousand requests, on a machine that may be busy
SHOWN_CHARACTERS = 200


def found(ours: Answers, theirs: Answers, noun: str) -> list[tuple[str, str, Any, Any]]:
    """(step, field, ours, theirs)"""
    return [
        (step, path, here, there)
        for step, answer in theirs[noun].items()
        for path, (here, there) in differences(ours[noun][step], answer).items()
    ]


def is_meant(one: Difference, noun: str, step: str, path: str) -> bool:
    named = any(fnmatchcase(f"{noun}: {step}", pattern) for pattern in one.steps)
    return named and any(fnmatchcase(path, pattern) for pattern in one.fields)


@pytest.mark.parametrize("noun", SCRIPT)
def test_each_answer_is_mlflows_or_differs_as_it_is_meant_to(noun: str, ours: Answers, theirs: Answers) -> None:
    wrong = [
        f"{step}: {path}: ours {str(here)[:SHOWN_CHARACTERS]!r}, MLflow's {str(there)[:SHOWN_CHARACTERS]!r}"
        for step, path, here, there in found(ours, theirs, noun)
        if not any(is_meant(one, noun, step, path) for one in INTENDED)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_difference_that_is_meant_occurs(ours: Answers, theirs: Answers) -> None:
    """A pattern that nothing matches any more would hide the next mistake of its shape."""
    there = [(noun, step, path) for noun in SCRIPT for step, path, _, _ in found(ours, theirs, noun)]
    gone = [
        f"{one.reason}: {pattern}"
        for one in INTENDED
        for pattern in one.steps
        if not any(
            fnmatchcase(f"{noun}: {step}", pattern) and is_meant(one, noun, step, path) for noun, step, path in there
        )
    ]
    assert not gone, "\n".join(gone)


def test_the_session_is_long_and_says_no_as_well_as_yes(theirs: Answers) -> None:
    answers = [answer for noun in SCRIPT for answer in theirs[noun].values()]
    refused = [
        one for one in answers if isinstance(one, dict) and ("refused" in one or one.get("status") in {400, 404})
    ]
    assert len(answers) > 1_000
    assert len(refused) > 300
