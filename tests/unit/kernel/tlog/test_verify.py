"""The verifier against exports that no honest server writes, and what witnesses add."""

import json
from datetime import timedelta

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.tlog.exports import read_line
from fabriek.kernel.tlog.verify import Trust, verify
from tests.factories.audit import AUDITOR, an_audit, write
from tests.unit.kernel.tlog.test_notes import WITNESS_KEY, cosigned


@pytest.fixture
def lines() -> list[str]:
    audit = an_audit()
    write(audit, 299)
    return list(audit.export(by=AUDITOR))


NOW = an_audit()._clock.now()
SECONDS = int(NOW.timestamp())


def findings(lines: list[str]) -> tuple[str, ...]:
    return verify(lines, Trust(), NOW).findings


def test_every_line_left_out_is_seen(lines: list[str]) -> None:
    for number in range(1, len(lines)):
        assert findings(lines[:number] + lines[number + 1 :]), lines[number]


@pytest.mark.parametrize("number", [1, 2, 100, 257, 258, 259, 300, 302])
def test_every_line_said_twice_is_seen_or_changes_nothing(lines: list[str], number: int) -> None:
    changed = findings([*lines[:number], lines[number], *lines[number:]])
    assert changed or json.loads(lines[number]).get("tile", [0])[0] > 0


@pytest.mark.parametrize("kept", [1, 2, 150, 258, 301])
def test_an_export_that_breaks_off_is_seen(lines: list[str], kept: int) -> None:
    assert findings(lines[:kept])
    assert findings([*lines[:kept], lines[kept][:-9]])[0] == f"line {kept + 1} of the export is not readable"


@pytest.mark.parametrize(
    "line",
    [
        "", "[]", "{}", "nonsense", '{"leaf":true,"entry":""}', '{"leaf":-1,"entry":"x"}', '{"leaf":1e9,"entry":"x"}',
        '{"leaf":99999999999999999999,"entry":"x"}', '{"leaf":3,"entry":"\\ud800"}', '{"leaf":5,"entry":"' + "x" * 300_000 + '"}',
        '{"tile":[0],"hashes":""}', '{"tile":[0,0],"hashes":"!"}', '{"tile":[-5,-5],"hashes":""}', '{"tile":[0,99],"hashes":"QUE="}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_a_line_that_nobody_writes_is_a_finding_and_never_a_fault(lines: list[str], line: str) -> None:
    assert findings([*lines[:40], line + "\n", *lines[40:]])


@pytest.mark.parametrize("line", ["", "x", "{}", '{"format":"fabriek-audit-2"}', "[1]"])
def test_what_is_no_export_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput):
        verify([line], Trust(), NOW)


def test_findings_are_bounded_however_broken_the_export_is(lines: list[str]) -> None:
    assert len(findings([lines[0], *["nonsense\n"] * 5000])) == 20


def test_an_id_from_a_forged_entry_cannot_move_the_readers_cursor() -> None:
    forged = json.dumps({"leaf": None, "entry": json.dumps({"id": "\x1b[2J\u202eevt"})})
    report = verify([next(an_audit().export(by=AUDITOR)), forged], Trust(), NOW)
    assert report.pending == ("[2Jevt",)


def test_lone_surrogates_are_bytes_like_any_other() -> None:
    assert read_line('{"leaf":3,"entry":"\\ud800"}').entry == b"\xed\xa0\x80"


def with_note(lines: list[str], note: str) -> list[str]:
    return [json.dumps(json.loads(lines[0]) | {"checkpoint": note}), *lines[1:]]


def test_a_fresh_witness_is_named_with_how_far_it_saw(lines: list[str]) -> None:
    note = cosigned(json.loads(lines[0])["checkpoint"], SECONDS - 60)
    report = verify(with_note(lines, note), Trust(witnesses=(WITNESS_KEY,)), NOW)
    assert report.sentence == "consistent, and witnessed by witness.example/w1 up to entry 300"
    assert report.witnessed.at == NOW - timedelta(seconds=60)


@pytest.mark.parametrize("age", [-60, 25 * 3600])
def test_a_witness_of_yesterday_or_of_tomorrow_counts_for_nothing(lines: list[str], age: int) -> None:
    note = cosigned(json.loads(lines[0])["checkpoint"], SECONDS - age)
    report = verify(with_note(lines, note), Trust(witnesses=(WITNESS_KEY,)), NOW)
    assert report.sentence == "internally consistent, not witnessed"


def test_a_witness_that_the_verifier_does_not_know_counts_for_nothing(lines: list[str]) -> None:
    note = cosigned(json.loads(lines[0])["checkpoint"], SECONDS)
    assert verify(with_note(lines, note), Trust(), NOW).witnessed is None


def test_a_kept_checkpoint_with_a_witness_on_it_vouches_as_far_as_it_goes() -> None:
    audit = an_audit()
    write(audit, 3)
    audit.sequence()
    kept = cosigned(audit.checkpoint(), SECONDS)
    write(audit, 3)
    report = verify(audit.export(by=AUDITOR), Trust(kept=(kept,), witnesses=(WITNESS_KEY,)), NOW)
    assert report.sentence == "consistent, and witnessed by witness.example/w1 up to entry 3"


@pytest.mark.parametrize("note", ["", "nonsense", "a\n1\nx\n\n— a AAAAAAAA\n"])
def test_a_kept_checkpoint_that_is_none_is_a_finding(lines: list[str], note: str) -> None:
    assert verify(lines, Trust(kept=(note,)), NOW).findings[0] == "a kept checkpoint is not readable"


def test_a_kept_checkpoint_of_another_log_is_a_finding(lines: list[str]) -> None:
    other = an_audit(seed=b"other")
    other.sequence()
    assert "not signed by the log's key" in verify(lines, Trust(kept=(other.checkpoint(),)), NOW).findings[0]
