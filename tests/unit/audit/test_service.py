import pytest

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.kernel.tlog.tree import leaf_hash
from fabriek.kernel.tlog.verify import Report, Trust, verify
from tests.factories.audit import AUDITOR, SOMEBODY, an_audit, write


def verified(audit: Audit, trust: Trust | None = None) -> Report:
    return verify(audit.export(by=AUDITOR), trust or Trust(audit.key), audit._clock.now())


def test_a_log_that_nobody_touched_is_consistent_and_says_that_nobody_witnessed_it() -> None:
    audit = an_audit()
    write(audit, 300)
    report = verified(audit)
    assert (report.findings, report.size, report.pending) == ((), 301, ())
    assert report.sentence == "internally consistent, not witnessed"


def test_an_empty_log_has_a_checkpoint_of_nothing() -> None:
    audit = an_audit()
    with pytest.raises(NotFound):
        audit.checkpoint()
    assert audit.sequence() == 0
    assert audit.checkpoint().startswith("fabriek/fab_test\n0\n47DEQpj8HBSa")


def test_sequencing_twice_changes_nothing() -> None:
    audit = an_audit()
    write(audit, 3)
    assert audit.sequence() == 3
    note = audit.checkpoint()
    assert audit.sequence() == 0
    assert audit.checkpoint() == note


def test_a_long_queue_is_numbered_in_batches() -> None:
    audit = an_audit()
    write(audit, 1100)
    assert audit.sequence() == 1100
    assert verified(audit).findings == ()


def test_events_that_no_checkpoint_covers_are_named() -> None:
    audit = an_audit()
    audit.sequence()
    write(audit, 1)
    lines = list(audit._lines())
    report = verify(lines, Trust(), audit._clock.now())
    assert report.pending == ("evt_1",)
    assert report.findings == ()


def test_a_refusal_is_kept_with_its_rule_but_without_its_words() -> None:
    audit = an_audit()
    audit.refused(SOMEBODY, "GET /api/v1/projects/{project}/jobs", "not_permitted", "job.view")
    audit.refused(SOMEBODY, "data.read", "not_permitted", "Jan said no")
    newest, older = audit.events(by=AUDITOR).items
    assert older.facts == '{"asked":"GET_/api/v1/projects/{project}/jobs","code":"not_permitted","rule":"job.view"}'
    assert newest.facts == '{"asked":"data.read","code":"not_permitted","rule":"worded"}'
    assert older.subject == "per_1"


def test_events_come_newest_first_in_pages_and_narrowed() -> None:
    audit = an_audit()
    write(audit, 5)
    first = audit.events(by=AUDITOR, limit=2)
    second = audit.events(by=AUDITOR, limit=2, cursor=first.next_cursor)
    last = audit.events(by=AUDITOR, limit=2, cursor=second.next_cursor)
    assert [event.subject for page in (first, second, last) for event in page.items] == [
        f"job_{number}" for number in (4, 3, 2, 1, 0)
    ]
    assert last.next_cursor == ""
    assert [event.subject for event in audit.events(by=AUDITOR, subject="job_3").items] == ["job_3"]
    assert audit.events(by=AUDITOR, person="per_2").items == []


def test_a_cursor_of_one_narrowing_does_not_open_another() -> None:
    audit = an_audit()
    write(audit, 3)
    cursor = audit.events(by=AUDITOR, limit=1).next_cursor
    with pytest.raises(InvalidInput):
        audit.events(by=AUDITOR, limit=1, cursor=cursor, subject="job_1")


def test_only_who_may_read_the_log_reads_it() -> None:
    audit = an_audit()
    write(audit, 1)
    audit.sequence()
    for act in (
        lambda: audit.events(by=SOMEBODY),
        lambda: audit.export(by=SOMEBODY),
        lambda: audit.bundle(0, 1, by=SOMEBODY),
    ):
        with pytest.raises(NotPermitted):
            act()


def test_taking_the_log_along_is_itself_an_event_in_it() -> None:
    audit = an_audit()
    verified(audit)
    assert [(event.action, event.person) for event in audit.events(by=AUDITOR).items] == [
        ("audit.exported", "per_auditor")
    ]


def test_tiles_and_bundles_are_served_as_far_as_the_checkpoint_and_no_further() -> None:
    audit = an_audit()
    write(audit, 300)
    audit.sequence()
    write(audit, 10)
    bundle = audit.bundle(1, 44, by=AUDITOR)
    length = int.from_bytes(bundle[:2], "big")
    assert leaf_hash(bundle[2 : 2 + length]) == audit.tile(0, 1, 44)[:32]
    assert audit.tile(0, 0, 256)[: 5 * 32] == audit.tile(0, 0, 5)
    for place in ((0, 1, 45), (0, 2, 1), (1, 0, 2), (2, 0, 1), (0, 0, 0), (63, 0, 1)):
        with pytest.raises(NotFound):
            audit.tile(*place)
    with pytest.raises(NotFound):
        audit.bundle(1, 45, by=AUDITOR)


def test_no_secret_that_passes_a_service_enters_the_log() -> None:
    audit = an_audit()
    canary = "canary-7f3a"
    by = Caller(person="per_1", organisation="org_1", name=canary, request_id=canary, rights=frozenset({canary}))
    audit.record("job.submitted", "job_1", by)
    audit.refused(by, "job.submit", "not_permitted", f"rule {canary}")
    assert canary not in "".join(audit.export(by=AUDITOR))
