from dataclasses import replace
from datetime import timedelta

import pytest

from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import InvalidInput, WrongState
from fabriek.vault.agreeing.agreements import Agreement, DataRight, end, is_in_force, read_purposes, read_right
from fabriek.vault.datasets import check_name
from fabriek.vault.references import Named, is_id, read_reference
from fabriek.vault.uploads import Progress, Upload, check_open

CLOCK = FakeClock()
AGREEMENT = Agreement(
    "agr_1", "ds_1", "prj_1", frozenset({"civilian"}), DataRight.VIEW, CLOCK.today(), "per_1", CLOCK.now()
)
UPLOAD = Upload(
    "upl_1", "ds_1", "internal", "per_1", "", "", CLOCK.now(), CLOCK.now() + timedelta(hours=1)
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("biopsies", Named("biopsies")),
        ("biopsies@3", Named("biopsies", number=3)),
        ("lab/biopsies@12", Named("biopsies", "lab", 12)),
        ("0-9", Named("0-9")),
    ],
)
def test_people_name_data_by_name_version_and_home(text: str, named: Named) -> None:
    assert read_reference(text) == named


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@1",
        "a@0",
        "a@01",
        "a@-1",
        "a@X",
        "A",
        "a b",
        "../a",
        "a/b/c",
        "/a",
        "a/",
        "a@1@2",
        "a\n",
        "é",
        "-a",
        "a" * 64,
        "ds_1",
    ],
)
def test_what_does_not_name_data_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_reference(text)


def test_a_name_is_never_an_id() -> None:
    assert is_id("ds_01abc", "ds")
    assert is_id("ver_01abc", "ver")
    assert not is_id("ver_01abc", "ds")
    assert not is_id("ds-01abc", "ds")
    assert not is_id("ds_../x", "ds")


@pytest.mark.parametrize("name", ["", "_output-job_1", "A", "a_b", "a" * 64, "a/b", ".", "..", "-a", "a\n"])
def test_a_name_that_could_not_stand_in_an_address_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_name(name)


def test_each_right_includes_those_before_it() -> None:
    assert DataRight.TAKE_AWAY.includes(DataRight.COMPUTE)
    assert DataRight.VIEW.includes(DataRight.VIEW)
    assert not DataRight.COMPUTE.includes(DataRight.VIEW)


def test_an_agreement_ends_once() -> None:
    assert is_in_force(AGREEMENT, CLOCK.today())
    ended = end(AGREEMENT, CLOCK.now())
    assert not is_in_force(ended, CLOCK.today())
    with pytest.raises(WrongState):
        end(ended, CLOCK.now())


def test_words_of_an_agreement_are_read_as_people_write_them() -> None:
    assert read_right("Take-Away") is DataRight.TAKE_AWAY
    assert read_purposes(["dual-use", "civilian"]) == {"dual_use", "civilian"}
    for wrong in (["peaceful"], []):
        with pytest.raises(InvalidInput):
            read_purposes(wrong)
    with pytest.raises(InvalidInput):
        read_right("own")


def test_an_upload_is_open_until_it_is_committed_or_too_old() -> None:
    check_open(UPLOAD, CLOCK.now())
    with pytest.raises(WrongState):
        check_open(UPLOAD, UPLOAD.expires_at)
    with pytest.raises(WrongState):
        check_open(replace(UPLOAD, progress=Progress.COMMITTED), CLOCK.now())
