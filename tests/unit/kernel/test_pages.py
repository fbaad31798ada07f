"""Cursors: read back where they were written, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.pages import Cursors

CURSORS = Cursors(b"key")


@given(st.text(), st.text())
def test_a_cursor_reads_back_in_its_list(scope: str, position: str) -> None:
    written = CURSORS.write(scope, position)
    assert CURSORS.read(scope, written) == position


@given(st.text(), st.text(), st.text())
def test_a_cursor_is_not_carried_to_another_list(scope: str, other: str, position: str) -> None:
    if scope != other:
        with pytest.raises(InvalidInput):
            CURSORS.read(other, CURSORS.write(scope, position))


@given(st.text(min_size=1))
def test_what_was_not_written_here_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        CURSORS.read("jobs:prj_1", cursor)


@given(st.integers(0, 200), st.integers(0, 7))
def test_a_changed_cursor_is_refused(place: int, bit: int) -> None:
    written = bytearray(CURSORS.write("jobs:prj_1", "job_7").encode())
    written[place % len(written)] ^= 1 << bit
    changed = written.decode("latin-1")
    try:
        assert CURSORS.read("jobs:prj_1", changed) == "job_7"  # the spare bits of the last digit say nothing
    except InvalidInput:
        return
    assert place % len(written) == len(written) - 1


def test_another_installations_cursor_is_refused() -> None:
    with pytest.raises(InvalidInput):
        CURSORS.read("jobs:prj_1", Cursors(b"other").write("jobs:prj_1", "job_7"))


def test_no_cursor_is_the_beginning() -> None:
    assert CURSORS.read("jobs:prj_1", "") == ""
