"""Sending what the outbox holds: mail and signed messages, in threads of their own, since receivers may be slow."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor

from fabriek.compute.notices.letters import Letter
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
        return len(letters)

    def close(self) -> None:
        """Waits for what is being sent; the rest is sent by the next."""
        self._pool.shutdown(wait=True, cancel_futures=True)


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
