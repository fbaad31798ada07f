"""How several members went, as one attempt."""

from fabriek.node.leading import joined
from fabriek.node.stopping import ENDED_BY_ANOTHER
from fabriek.schemas.node import ObservedState, Phase


def done(code: int | None = 0, reason: str = "", **more: object) -> ObservedState:
    return ObservedState(Phase.DONE, exit_code=code, reason=reason, **more)  # type: ignore[arg-type]


def test_all_well_is_well_and_their_use_is_one_sum() -> None:
    seen = joined(
        {0: done(cpu_seconds=1.5, reached={"a:1": 2}), 1: done(cpu_seconds=2.0, reached={"a:1": 1})}, None, ""
    )
    assert (seen.exit_code, seen.reason, seen.cpu_seconds, seen.reached) == (0, "", 3.5, {"a:1": 3})


def test_the_code_is_that_of_the_first_failure_and_those_it_ended_add_nothing() -> None:
    seen = joined({0: done(143, ENDED_BY_ANOTHER), 1: done(7), 2: done(143, ENDED_BY_ANOTHER)}, 1, "")
    assert (seen.exit_code, seen.reason) == (7, "")


def test_a_member_that_never_said_that_it_was_over_is_named_with_slurms_word() -> None:
    seen = joined({0: done(143, ENDED_BY_ANOTHER), 1: ObservedState(Phase.RUNNING)}, None, "node failure on n2")
    assert (seen.exit_code, seen.reason) == (None, "member 1 is gone: node failure on n2")
    assert joined({0: done(), 1: None}, None, "").reason == "member 1 is gone"


def test_results_that_could_not_be_sealed_are_said_though_all_ended_well() -> None:
    lost = "the results could not be sealed: full"
    assert joined({0: done(), 1: done(0, lost)}, None, "").reason == lost


def test_the_image_that_members_ran_in_is_that_of_all() -> None:
    seen = joined({0: done(image_hash="ab12"), 1: done(image_hash="ab12")}, None, "")
    assert seen.image_hash == "ab12"
