"""What the operator hears when jobs cannot be kept apart."""

import sys

from fabriek.compute.executors.capabilities import probe


def test_a_machine_that_can_says_by_what() -> None:
    found = probe()
    assert found.sandbox == (found.reason == "")
    assert found.sandbox == bool(found.limits)


def test_a_program_that_does_not_run_is_a_reason_and_no_error() -> None:
    found = probe((sys.executable, "-c", "raise SystemExit('broken')"))
    assert not found.sandbox
    assert "broken" in found.reason
    assert not probe(("/nowhere/python",)).sandbox
