"""What is to be told, of which step, to whom, and for how long it is tried."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from fabriek.compute.jobs import Job, State
from fabriek.compute.notices import notices
from fabriek.compute.notices.letters import facts_of, mail_of, signature, signed_of
from fabriek.compute.notices.notices import NoticeAsked, Occasion, claimed, due_now, failed, new_notice, notice_asked_of
from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.purposes import Purpose

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
BEGIN, END, FAIL = Occasion


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("mail", NoticeAsked("mail", (END,))),
        ("fail,begin:mail", NoticeAsked("mail", (BEGIN, FAIL))),
        ("https://hooks.example/a:b", NoticeAsked("https://hooks.example/a:b", (END,))),
        ("end:https://hooks.example/", NoticeAsked("https://hooks.example/", (END,))),
        ("fail:secret:HOOK", NoticeAsked("secret:HOOK", (FAIL,))),
    ],
)
def test_whom_to_tell_and_when(said: str, asked: NoticeAsked) -> None:
    assert notice_asked_of(said) == asked


@pytest.mark.parametrize(
    "said",
    [
        "",
        "olga@factory.example",
        "mailto:x",
        "begin:",
        "never:mail",
        "mail:end",
        "ftp://x",
        "begin,:mail",
        "secret:",
        "secret:A-B",
    ],
)
def test_what_says_neither_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput, match="neither whom"):
        notice_asked_of(said)


def test_an_address_is_shown_by_its_host_since_the_rest_is_often_a_password() -> None:
    assert notice_asked_of("fail:https://hooks.example/T0/B0/canary").shown == "fail:https://hooks.example/…"


def test_each_is_told_once_of_one_step() -> None:
    asked = [NoticeAsked("mail", (END, FAIL)), NoticeAsked("https://a/", (FAIL,)), NoticeAsked("https://b/", (BEGIN,))]
    assert due_now(asked, [END, FAIL]) == [("mail", END), ("https://a/", FAIL)]
    assert due_now(asked, [END]) == [("mail", END)]
    assert due_now(asked, [BEGIN]) == [("https://b/", BEGIN)]


def test_a_notice_has_one_id_however_often_it_is_written() -> None:
    first = new_notice("job_1", "job_1", "prj_1", END, "mail", NOW)
    assert first.id == new_notice("job_1", "job_1", "prj_1", END, "mail", NOW + timedelta(hours=1)).id
    others = {new_notice(subject, "job_1", "prj_1", occasion, target, NOW).id
              for subject, occasion, target in (("job_2", END, "mail"), ("job_1", FAIL, "mail"), ("job_1", END, "https://a/"))}  # fmt: skip
    assert len(others | {first.id}) == 4


def test_pauses_double_up_to_an_hour_and_a_day_later_it_is_given_up() -> None:
    notice, now, pauses = new_notice("job_1", "job_1", "prj_1", END, "mail", NOW), NOW, []
    while notice.given_up_at is None:
        notice = failed(claimed(notice, now), "it is away", now)
        pauses.append((notice.next_at - now).total_seconds())
        now = notice.next_at
    assert pauses[:4] == [10, 20, 40, 80]
    assert max(pauses) == 3600
    assert NOW + timedelta(hours=22) < notice.given_up_at <= NOW + notices.TRIED_FOR
    assert notice.error == "it is away"


def a_job(**changes: object) -> Job:
    fields: dict[str, object] = {
        "id": "job_1", "project": "prj_1", "person": "per_1", "name": "patient 17", "purpose": Purpose.CIVILIAN, "argv": ("true",),
        "cpus": 1, "gpus": 0, "memory_bytes": 2**30, "wall_seconds_max": 60, "share": "", "label": "open", "submitted_at": NOW,
        "state": State.FAILED, "reason": "the module patient17 is not in the job's environment", "number": 17,
    }  # fmt: skip
    return Job(**(fields | changes))  # type: ignore[arg-type]  # what a test says differs


def facts(job: Job, *, is_open: bool, states: tuple[State, ...] = ()) -> dict[str, str]:
    notice = new_notice(job.array or job.id, job.id, job.project, END, "https://hooks.example/", NOW)
    return facts_of(notice, job, states or (job.state,), project="tissue", link="https://f/1", is_open=is_open)


def test_above_the_lowest_label_neither_name_nor_reason_leaves_the_house() -> None:
    told = facts(a_job(), is_open=False)
    assert set(told) == {"id", "occasion", "job", "number", "project", "state", "at", "link"}
    assert "patient" not in str(told)
    assert facts(a_job(), is_open=True)["name"] == "patient 17"


def test_an_array_is_told_of_as_a_whole() -> None:
    element = a_job(array="arr_1", array_number=17, array_index=0, state=State.SUCCEEDED)
    ended = (State.SUCCEEDED, State.SUCCEEDED, State.FAILED)
    told = facts(element, is_open=False, states=ended)
    assert (told["job"], told["number"], told["state"]) == ("arr_1", "17", "failed")
    assert told["elements"] == "1 failed, 2 succeeded"


def test_a_mail_has_a_line_for_each_fact_and_none_that_a_name_made() -> None:
    job = a_job(name="x\nBcc: somebody\r\n\r\nlink: https://evil.example")
    notice = new_notice("job_1", "job_1", "prj_1", END, "mail", NOW)
    letter = mail_of(notice, facts(job, is_open=True), "olga@factory.example")
    assert letter.subject == "Job 17: failed"
    assert [line.partition(":")[0] for line in letter.text.splitlines()].count("link") == 1


def test_a_body_for_programs_is_signed_with_the_instant_and_only_the_key_signs_so() -> None:
    notice = new_notice("job_1", "job_1", "prj_1", END, "https://hooks.example/", NOW)
    letter = signed_of(notice, facts(a_job(), is_open=True), "https://hooks.example/", "k" * 32, NOW)
    headers = dict(letter.headers)
    at, _, made = headers["Fabriek-Signature"].removeprefix("t=").partition(",v1=")
    assert made == signature("k" * 32, at, letter.body)
    assert made != signature("j" * 32, at, letter.body)
    assert made != signature("k" * 32, str(int(at) + 1), letter.body)
    assert headers["Idempotency-Key"] == json.loads(letter.body)["id"] == notice.id


def test_a_signature_is_what_anybody_computes_who_has_the_key() -> None:
    """printf '1.{}' | openssl dgst -sha256 -hmac key"""
    assert signature("key", "1", b"{}") == "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
