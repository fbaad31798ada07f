"""Notices, on both databases: written with the step they tell of, sent at least once, tried again, given up, and never too much said."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from fabriek.access.store import names
from fabriek.adapters.database import Database
from fabriek.compute.jobs import Job, State
from fabriek.compute.notices.notices import Notice, notice_asked_of
from fabriek.compute.progress import handle_of
from fabriek.compute.requests import InputAsked, JobAsked
from fabriek.compute.terms import Terms, after_of
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.worker.notifying import Messenger, send
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.services import a_town
from tests.factories.threads import at_once
from tests.factories.vault import fill
from tests.factories.waiting import until
from tests.servers.mailbox import Mailbox, taking_mail
from tests.servers.receiver import Receiver, receiving

KEY = "a key of thirty-two characters.."


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with taking_mail() as made:
        yield made


@pytest.fixture
def shop(database: Database, tmp_path: Path, receiver: Receiver, mailbox: Mailbox) -> Iterator[Shop]:
    settings = {
        "mail_host": "127.0.0.1", "mail_port": mailbox.port, "mail_from": "factory@fabriek.example", "mail_tls": "none",
        "outbound_hosts": f"http://127.0.0.1:{receiver.port}", "portal_url": "https://factory.example",
    }  # fmt: skip
    town = a_town(database, tmp_path / "home", **settings)
    person = town.person("weefsel")
    project = town.project(person)
    assert isinstance(town.services.executor, MemoryExecutor)
    made = Shop(town, town.again(person), project, a_worker(town), town.services.executor)
    town.services.strongbox.set(project, "NOTIFY_KEY", KEY, by=made.person)
    yield made
    made.worker._starter.close()
    made.worker._upkeep.close()
    made.worker._messenger.close()


def telling(
    shop: Shop, *notify: str, argv: tuple[str, ...] = ("sleep", "60"), array: str = "", terms: Terms | None = None
) -> Job:
    asked = JobAsked(argv, notify=tuple(map(notice_asked_of, notify)), array=array, terms=terms or Terms())
    return shop.town.services.compute.submit(shop.project, asked, by=shop.person)


def web(receiver: Receiver, when: str = "") -> str:
    return f"{when}http://127.0.0.1:{receiver.port}/hook?x=canary"


def sending(shop: Shop) -> int:
    """Sends all that is due now; how many."""
    letters = shop.town.services.outbox.take()
    for one in letters:
        send(shop.town.services, one)
    return len(letters)


def notices(shop: Shop, job: Job) -> list[Notice]:
    return [*shop.town.services.outbox.of_job(shop.job(job))]


def ended(shop: Shop, job: Job, *, exit_code: int = 0) -> Job:
    running = shop.work(job, State.RUNNING)
    shop.executor.end(handle_of(running), exit_code=exit_code)
    return shop.work(job, State.FAILED if exit_code else State.SUCCEEDED)


@pytest.fixture(autouse=True)
def _rounds_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests send by themselves, where they do not try the very thread that sends."""
    monkeypatch.setattr(Messenger, "round", lambda _self: 0)


def test_who_submitted_gets_a_mail_when_it_began_and_when_it_ended(shop: Shop, mailbox: Mailbox) -> None:
    job = telling(shop, "begin,end:mail")
    shop.work(job, State.RUNNING)
    assert sending(shop) == 1
    shop.town.clock.move(timedelta(minutes=1))
    ended(shop, job, exit_code=3)
    assert sending(shop) == 1
    address = shop.town.services.access.person(shop.person.person).email
    assert [to for to, _ in mailbox.came] == [address] * 2
    assert [str(mail["Subject"]) for _, mail in mailbox.came] == ["Job 1: running", "Job 1: failed"]
    assert f"link: https://factory.example/projects/{shop.project}/jobs/{job.id}" in mailbox.came[1][1].get_content()
    assert [(one.occasion, one.sent_at is not None, one.tries) for one in notices(shop, job)] == [
        ("begin", True, 1), ("end", True, 1),
    ]  # fmt: skip
    assert sending(shop) == 0


def test_a_program_gets_a_signed_message_under_an_id(shop: Shop, receiver: Receiver) -> None:
    job = ended(shop, telling(shop, web(receiver)))
    assert sending(shop) == 1
    [came] = receiver.came
    said = json.loads(came.body)
    assert (came.path, said["job"], said["state"], said["project"]) == (
        "/hook?x=canary",
        job.id,
        "succeeded",
        shop.project,
    )
    assert came.headers["idempotency-key"] == said["id"] == notices(shop, job)[0].id
    assert came.headers["fabriek-signature"].startswith("t=")
    assert KEY not in str(came)


def test_an_address_that_is_a_secret_is_opened_when_it_is_sent_to_and_judged_like_any(
    shop: Shop, receiver: Receiver
) -> None:
    box = shop.town.services.strongbox
    with pytest.raises(InvalidInput, match="no secret HOOK"):
        telling(shop, "secret:HOOK")
    box.set(shop.project, "HOOK", web(receiver), by=shop.person)
    job = ended(shop, telling(shop, "secret:HOOK"))
    box.set(shop.project, "ELSEWHERE", "https://169.254.169.254/canary", by=shop.person)
    astray = ended(shop, telling(shop, "secret:ELSEWHERE"))
    assert sending(shop) == 2
    assert [one.path for one in receiver.came] == ["/hook?x=canary"]
    assert notices(shop, job)[0].sent_at is not None
    assert notices(shop, astray)[0].error == "nothing is sent to 169.254.169.254 from here"
    assert "canary" not in str(notices(shop, job) + notices(shop, astray))


def test_a_failure_is_told_to_who_asked_for_failures_alone(shop: Shop, receiver: Receiver) -> None:
    good, bad = telling(shop, web(receiver, "fail:")), telling(shop, web(receiver, "fail:"))
    ended(shop, good)
    ended(shop, bad, exit_code=1)
    assert sending(shop) == 1
    assert json.loads(receiver.came[0].body)["job"] == bad.id


def test_every_way_to_end_is_told(shop: Shop, receiver: Receiver) -> None:
    services = shop.town.services
    waits = telling(
        shop, web(receiver), argv=("true",), terms=Terms(not_before=shop.town.clock.now() + timedelta(days=1))
    )
    hopeless = telling(shop, web(receiver), terms=Terms(after=after_of(f"afterok:{waits.id}")))
    services.compute.cancel(shop.project, waits.id, by=shop.person)
    shop.work(hopeless, State.CANCELLED)
    vanishes = telling(shop, web(receiver, "fail:"))
    shop.executor.lose(handle_of(shop.work(vanishes, State.RUNNING)))
    shop.work(vanishes, State.LOST)
    assert sending(shop) == 3
    told = {json.loads(one.body)["job"]: json.loads(one.body)["state"] for one in receiver.came}
    assert told == {waits.id: "cancelled", hopeless.id: "cancelled", vanishes.id: "lost"}


def test_a_step_that_is_undone_tells_nothing(shop: Shop) -> None:
    job = telling(shop, "mail")
    services = shop.town.services
    with pytest.raises(RuntimeError), services.database.transaction():
        services.compute.cancel(shop.project, job.id, by=shop.person)
        raise RuntimeError
    assert shop.job(job).state is State.QUEUED
    assert sending(shop) == 0


def test_a_receiver_that_is_away_is_tried_again_under_the_same_id(shop: Shop, receiver: Receiver) -> None:
    receiver.answers = [503, 204]
    job = ended(shop, telling(shop, web(receiver)))
    assert sending(shop) == 1
    assert [(one.sent_at, one.error) for one in notices(shop, job)] == [(None, "127.0.0.1 answered 503")]
    assert sending(shop) == 0
    shop.town.clock.move(timedelta(seconds=11))
    assert sending(shop) == 1
    first, second = receiver.came
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body
    assert notices(shop, job)[0].sent_at == shop.town.clock.now()


def test_a_notice_that_nobody_takes_is_given_up_after_a_day_and_says_so(shop: Shop, receiver: Receiver) -> None:
    receiver.answers = [500]
    job = ended(shop, telling(shop, web(receiver)))
    for _ in range(60):
        sending(shop)
        shop.town.clock.move(timedelta(minutes=30))
    [given_up] = notices(shop, job)
    assert given_up.given_up_at is not None
    assert given_up.error == "127.0.0.1 answered 500"
    tries = len(receiver.came)
    shop.town.clock.move(timedelta(days=3))
    assert sending(shop) == 0
    assert len(receiver.came) == tries


def test_of_many_workers_one_takes_a_notice_and_one_that_dies_is_followed(shop: Shop) -> None:
    ended(shop, telling(shop, "mail"))
    outbox = shop.town.services.outbox
    taken = [letter for part in at_once(lambda _number: outbox.take(), times=6) for letter in part]
    assert len(taken) == 1
    assert not outbox.take()
    shop.town.clock.move(timedelta(minutes=3))  # whoever took it is gone
    assert [letter.notice.id for letter in outbox.take()] == [taken[0].notice.id]


def test_an_array_tells_once_that_it_began_failed_and_ended(shop: Shop, receiver: Receiver) -> None:
    first = telling(shop, web(receiver, "begin,end,fail:"), array="0-2")
    services = shop.town.services
    elements = services.compute.array(shop.project, first.array, by=shop.person)
    for element in elements[:2]:
        ended(shop, element, exit_code=1)
    sending(shop)
    told = [json.loads(one.body) for one in receiver.came]
    assert sorted((one["job"], one["occasion"], one["state"]) for one in told) == [
        (first.array, "begin", "running"), (first.array, "fail", "failed"),
    ]  # fmt: skip
    ended(shop, elements[2])
    assert sending(shop) == 0
    shop.town.clock.move(timedelta(seconds=16))
    assert sending(shop) == 1
    last = json.loads(receiver.came[-1].body)
    assert (last["occasion"], last["state"], last["elements"]) == ("end", "failed", "2 failed, 1 succeeded")


def test_a_job_on_labelled_data_tells_no_name_and_no_reason(shop: Shop, receiver: Receiver) -> None:
    services, by = shop.town.services, shop.person
    services.vault.create(shop.project, "tissue", label="internal", by=by)
    fill(services, services.vault.open_upload(shop.project, "tissue", label="", by=by), {"a.txt": b"a"}, by=by)
    notify = (notice_asked_of(web(receiver)), notice_asked_of("mail"))
    asked = JobAsked(("sleep", "9"), name="canary", inputs=(InputAsked("tissue", "/data"),), notify=notify)
    job = services.compute.submit(shop.project, asked, by=by)
    running = shop.work(job, State.RUNNING)
    shop.executor.end(handle_of(running), exit_code=1, reason="canary")
    assert shop.work(job, State.FAILED).reason == "canary"
    assert sending(shop) == 2
    assert json.loads(receiver.came[0].body)["state"] == "failed"
    assert b"canary" not in receiver.came[0].body


@pytest.mark.parametrize("stored", ["mail", "web"])
def test_what_cannot_be_sent_any_more_is_said_and_not_a_fault(shop: Shop, receiver: Receiver, stored: str) -> None:
    job = telling(shop, "mail" if stored == "mail" else web(receiver))
    if stored == "mail":
        with shop.town.services.database.transaction():
            shop.town.services.database.execute(delete(names).where(names.c.person == shop.person.person))
    else:
        shop.town.services.strongbox.remove(shop.project, "NOTIFY_KEY", by=shop.person)
    ended(shop, job)
    sending(shop)
    [notice] = notices(shop, job)
    assert notice.sent_at is None
    assert notice.error in {
        "no address is known of who submitted it",
        "the project has no secret NOTIFY_KEY any more",
    }
    assert receiver.came == []


def test_what_could_never_be_sent_is_refused_at_submission(shop: Shop, receiver: Receiver) -> None:
    with pytest.raises(NotPermitted, match="nothing is sent to hooks"):
        telling(shop, "https://hooks.example/")
    with pytest.raises(InvalidInput, match="at most 4"):
        telling(shop, *["mail"] * 5)
    shop.town.services.strongbox.remove(shop.project, "NOTIFY_KEY", by=shop.person)
    with pytest.raises(InvalidInput, match="NOTIFY_KEY"):
        telling(shop, web(receiver))


def test_an_installation_without_a_relay_sends_no_mail(database: Database, tmp_path: Path) -> None:
    town = a_town(database, tmp_path / "home")
    person = town.person("weefsel")
    project = town.project(person)
    for asked, rule in (("mail", "outbound.mail"), ("https://hooks.example/", "outbound.host")):
        with pytest.raises(NotPermitted) as refused:
            town.services.compute.submit(
                project, JobAsked(("true",), notify=(notice_asked_of(asked),)), by=town.again(person)
            )
        assert refused.value.fields["rule"] == rule


def test_the_worker_sends_by_itself_beside_its_rounds(
    shop: Shop, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    ended(shop, telling(shop, "mail"))

    def sent() -> bool:
        shop.town.clock.move(timedelta(seconds=1))
        shop.worker.round()
        return bool(mailbox.came)

    until(sent)
    assert threading.active_count() > 1
