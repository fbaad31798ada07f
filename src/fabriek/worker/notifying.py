"""Sending what the outbox holds: mail and signed messages, in threads of their own, since receivers may be slow."""

import logging
import re
from concurrent.futures import Future, ThreadPoolExecutor

from fabriek.access.joining import reminders
from fabriek.access.reviewing.telling import Told, sentence
from fabriek.compute.notices.letters import Letter
from fabriek.funding.duties.reminding import sentence as reminder
from fabriek.funding.spending.tellings import Telling
from fabriek.kernel.errors import FabriekError
from fabriek.web.services import Services
from fabriek.worker.rhythm import Rhythm

log = logging.getLogger("fabriek.worker")

AT_ONCE = 4


class Messenger:
    """Takes what is due, once a second at most, and never more while it still sends: what waits is not lost."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._due = Rhythm(services.clock, 1.0)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fabriek-notify")
        self._going: list[Future[None]] = []

    def round(self) -> int:
        """How many were begun."""
        self._going = [one for one in self._going if not one.done()]
        if self._going or not self._due.due():
            return 0
        letters = self._services.outbox.take()
        self._going = [self._pool.submit(send, self._services, one) for one in letters]
        if not self._services.relay.host:
            return len(letters)
        told, due = self._services.reviewing.take_unsent(), self._services.joining.reminding.take_unsent()
        self._going += [self._pool.submit(mail, self._services, one, to) for one, to in told]
        self._going += [self._pool.submit(remind, self._services, one) for one in due]
        says = self._services.running_out.take_unsent()
        self._going += [self._pool.submit(mail_of_credits, self._services, one, to) for one, to in says]
        owed = self._services.duties.reminding.take_unsent()
        self._going += [self._pool.submit(mail_owed, self._services, one, to) for one, to in owed]
        return len(letters) + len(told) + len(due) + len(says) + len(owed)

    def close(self) -> None:
        """Waits for what is being sent; the rest is sent by the next."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def mail(services: Services, told: Told, to: str) -> None:
    """Mails what a review has to tell; what fails is due again later."""
    says = sentence(told)
    text = f"{says[:1].upper()}{says[1:]}.\n\n{services.outbox.base}/reviews/{told.application}\n"
    try:
        services.relay.send(to, f"Review: {says}", text, name=told.id.replace(":", "."))
    except FabriekError as error:
        log.warning("a notice of a review could not be mailed: %s", error.detail)
    except Exception:
        log.exception("a notice of a review could not be mailed")
    else:
        services.reviewing.mailed(told)


def remind(services: Services, letter: reminders.Letter) -> None:
    """Mails a reminder of a review of access; what fails is due again later."""
    try:
        services.relay.send(letter.to, letter.subject, letter.text, name=letter.reminder.name)
    except FabriekError as error:
        log.warning("a reminder of a review of access could not be mailed: %s", error.detail)
    except Exception:
        log.exception("a reminder of a review of access could not be mailed")
    else:
        services.joining.reminding.mailed(letter.reminder)


def mail_of_credits(services: Services, telling: Telling, to: str) -> None:
    """Mails what there is to tell of a project's credits; what fails is due again later."""
    slug = services.access.project(telling.project).slug
    text = f"{telling.says}.\n\n{services.outbox.base}/projects/{slug}\n"
    try:
        services.relay.send(to, f"Credits of project {slug}", text, name=re.sub(r"[^\w-]", ".", telling.id))
    except FabriekError as error:
        log.warning("a notice of credits could not be mailed: %s", error.detail)
    except Exception:
        log.exception("a notice of credits could not be mailed")
    else:
        services.running_out.mailed(telling)


def mail_owed(services: Services, told: Told, to: str) -> None:
    """Mails that a report is due; what fails is due again later."""
    says = reminder(told)
    text = f"{says[:1].upper()}{says[1:]}.\n\nfabriek report file {told.application}\n{services.outbox.base}/duties/{told.application}\n"
    try:
        services.relay.send(to, f"Report: {says}", text, name=told.id.replace(":", "."))
    except FabriekError as error:
        log.warning("a reminder of a report could not be mailed: %s", error.detail)
    except Exception:
        log.exception("a reminder of a report could not be mailed")
    else:
        services.duties.reminding.mailed(told)


def send(services: Services, letter: Letter) -> None:
    """Sends one and writes down what became of it."""
    try:
        if letter.is_mail:
            services.relay.send(letter.to, letter.subject, letter.text, name=letter.notice.id)
        else:
            services.outbound.post(letter.to, letter.body, dict(letter.headers))
    except FabriekError as error:
        services.outbox.failed(letter.notice, error.detail)
    except Exception:
        log.exception("notice %s could not be sent", letter.notice.id)
        services.outbox.failed(letter.notice, "a fault of Fabriek; it is in the server's log")
    else:
        services.outbox.sent(letter.notice)
