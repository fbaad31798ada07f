"""Reminders of the review of access on both databases: to whom something waits for, each time once, through a real relay."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fabriek.adapters.database import Database
from fabriek.kernel.callers import Caller
from fabriek.worker.notifying import Messenger, mail, of_access
from fabriek.worker.upkeep import Upkeep
from tests.factories.services import Town, a_town
from tests.factories.waiting import until
from tests.servers.mailbox import Mailbox, taking_mail


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with taking_mail() as opened:
        yield opened


@pytest.fixture
def town(database: Database, tmp_path: Path, mailbox: Mailbox) -> Town:
    return a_town(
        database, tmp_path / "home", mail_host="127.0.0.1", mail_port=mailbox.port, mail_from="f@factory.example", mail_tls="none",
        portal_url="https://factory.example",
    )  # fmt: skip


def under_review(town: Town) -> tuple[str, Caller, Caller]:
    """A project with a lead and a member, in the first days of a quarter's review."""
    lead, member = town.person("weefsel"), town.person("weefsel")
    slug = town.project(lead)
    town.services.access.add_member(slug, member.person, "member", by=town.again(lead))
    assert town.services.joining.quarterly.open_due() == 0
    town.clock.move(timedelta(days=60))
    assert town.services.joining.quarterly.open_due() > 0
    return slug, town.again(lead), member


def sent_now(town: Town, mailbox: Mailbox) -> list[str]:
    """To whom mail went, as the worker sends it."""
    before = len(mailbox.came)
    town.services.joining.reminding.write_due()
    for post in of_access(town.services):
        mail(town.services, post)
    return sorted(to for to, _ in mailbox.came[before:])


def address(town: Town, caller: Caller) -> str:
    return town.services.access.person(caller.person).email


def test_who_has_not_answered_is_reminded_at_half_time_and_a_day_before_the_end_each_time_once(
    town: Town, mailbox: Mailbox
) -> None:
    slug, lead, _ = under_review(town)
    came = {}
    for day in range(16):
        came[day] = sent_now(town, mailbox) + sent_now(town, mailbox)
        town.clock.move(timedelta(days=1))
    assert {day: to for day, to in came.items() if to} == {7: [address(town, lead)], 13: [address(town, lead)]}
    text = mailbox.came[0][1].get_content()
    project = town.services.access.project(slug)
    assert f"https://factory.example/projects/{project.id}" in text
    assert "2 memberships wait" in text
    assert slug not in text
    assert project.title not in text


def test_who_answered_is_left_alone_and_a_worker_that_was_away_reminds_once(town: Town, mailbox: Mailbox) -> None:
    (slug, lead, member), quarterly = under_review(town), town.services.joining.quarterly
    town.clock.move(timedelta(days=13))
    assert sent_now(town, mailbox) == [address(town, lead)]
    quarterly.decide(slug, keep=[member.person], by=town.again(lead))
    town.clock.move(timedelta(days=1))
    assert sent_now(town, mailbox) == []


def test_roles_are_reminded_of_to_who_may_confirm_them_and_nobody_for_their_own(town: Town, mailbox: Mailbox) -> None:
    expert = town.person("weefsel", "expert")
    under_review(town)
    second = town.person("factory", "administrator", kind="operator")
    quarterly, operator = town.services.joining.quarterly, town.again(town.operator)
    town.clock.move(timedelta(days=7))
    assert address(town, operator) in (to := sent_now(town, mailbox))
    assert address(town, second) in to
    assert address(town, expert) not in to
    quarterly.decide_role(expert.person, "expert", keep=True, by=operator)
    town.clock.move(timedelta(days=6))
    assert address(town, operator) not in (to := sent_now(town, mailbox))  # only their own roles wait
    assert address(town, second) in to
    about = next(mail for where, mail in mailbox.came if where == address(town, second))
    assert "fabriek org review" in about.get_content()


def test_what_was_answered_between_writing_and_sending_is_not_sent(town: Town, mailbox: Mailbox) -> None:
    (slug, lead, member), reminding = under_review(town), town.services.joining.reminding
    town.clock.move(timedelta(days=7))
    assert reminding.write_due() > 0
    town.services.joining.quarterly.decide(slug, keep=[member.person], by=town.again(lead))
    assert address(town, lead) not in {one.to for one in reminding.take_unsent()}


def test_what_the_relay_did_not_take_is_tried_again(town: Town, mailbox: Mailbox) -> None:
    _, lead, _ = under_review(town)
    town.clock.move(timedelta(days=7))
    mailbox.refuses = "451 later"
    assert sent_now(town, mailbox) == []
    mailbox.refuses = ""
    assert sent_now(town, mailbox) == []  # not at once: there is a pause
    town.clock.move(timedelta(minutes=5))
    assert address(town, lead) in sent_now(town, mailbox)
    town.clock.move(timedelta(minutes=5))
    assert sent_now(town, mailbox) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_worker_writes_and_sends_them(town: Town, mailbox: Mailbox) -> None:
    under_review(town)
    town.clock.move(timedelta(days=7))
    upkeep, messenger = Upkeep(town.services), Messenger(town.services)
    try:
        upkeep.round()
        messenger.round()
        until(lambda: any("Review of access" in mail["Subject"] for _, mail in mailbox.came))
    finally:
        messenger.close()
        upkeep.close()
