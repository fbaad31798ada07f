"""Terms of a job: kept as they were said, and refused where no job could run under them."""

from datetime import timedelta

import pytest

from fabriek.compute.references import Reference
from fabriek.compute.terms import After, Network, Once, Terms, after_of, check
from fabriek.kernel.errors import InvalidInput, NotFound
from tests.factories.compute import NOON


def test_terms_come_back_as_they_were_kept() -> None:
    terms = Terms(
        after=(After("job_1", Once.FAILED),), not_before=NOON, deadline=NOON + timedelta(days=1), requeues_max=3, signal="USR1",
        signal_seconds=60, grace_seconds=0, preemptible=True, network=Network.HOST, folder="/projects/p/x", port=8888, tasks=2,
        parameters={"lr": "0.1"}, work="language-training",
    )  # fmt: skip
    assert Terms.from_json(terms.as_json()) == terms
    assert Terms.from_json({}) == Terms()


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (Terms(signal="KILL", signal_seconds=5), "not a signal"),
        (Terms(signal="USR1", signal_seconds=3600), "the signal would come"),
        (Terms(requeues_max=100_000), "at most"),
        (Terms(deadline=NOON + timedelta(minutes=59)), "do not fit"),
        (Terms(not_before=NOON + timedelta(hours=1), deadline=NOON + timedelta(hours=1, minutes=59)), "do not fit"),
        (Terms(after=tuple(After(f"job_{number}", Once.ENDED) for number in range(101))), "at most 100"),
    ],
)
def test_terms_under_which_no_job_could_end_are_refused(terms: Terms, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        check(terms, now=NOON, wall_seconds_max=3600)


def test_jobs_to_wait_for_are_read_as_slurm_writes_them() -> None:
    assert after_of("17") == (After("17", Once.SUCCEEDED),)
    assert after_of("afterany:17:18_3") == (After("17", Once.ENDED), After("18_3", Once.ENDED))
    for text in ("", "afterok:", "later:17", "17;18", "$(id)"):
        with pytest.raises(InvalidInput):
            after_of(text)


def test_a_job_is_called_by_its_id_its_number_or_its_place_in_an_array() -> None:
    assert Reference.read("17_3") == Reference(number=17, index=3)
    assert Reference.read("17") == Reference(number=17)
    assert Reference.read("arr_X").array == "arr_X"
    for text in ("", "0", "17_", "-1", "prj_1", "17;18"):
        with pytest.raises(NotFound):
            Reference.read(text)
