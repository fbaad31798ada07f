"""How the command line shows one object, and an error."""

import pytest

from fabriek.cli.output import show, show_error
from fabriek.kernel.errors import NotFound, nothing_here


def test_what_stands_within_a_field_has_a_line_of_its_own_and_instants_are_read_by_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    at = "2026-11-27T18:53:12.038302Z"
    steps = [{"state": "sent", "at": at, "words": ""}, {"state": "approved", "at": at, "words": "until summer"}]
    show({"id": "req_1", "asked_at": at, "tags": ["a", "b"], "steps": steps, "answers": {}}, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    day = "2026-11-2"  # whichever it is where the tests run
    assert lines[0] == "id        req_1"
    assert lines[1].startswith(f"asked at  {day}")
    assert "." not in lines[1]
    assert lines[2] == "tags      a, b"
    assert lines[3].startswith(f"steps     state sent, at {day}")
    assert lines[4].startswith(f"          state approved, at {day}")
    assert lines[4].endswith(", words until summer")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (nothing_here(), "error There is no such thing, or you may not know of it"),
        (NotFound("scans has no version 7", fix="x"), "error There is no such thing: scans has no version 7"),
    ],
)
def test_an_error_says_its_title_once(capsys: pytest.CaptureFixture[str], error: NotFound, said: str) -> None:
    assert show_error(error, as_json=False) == 3
    assert capsys.readouterr().err.splitlines()[0] == said
