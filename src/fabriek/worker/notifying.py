"""Sending what the outbox holds: mail and signed messages, in threads of their own, since receivers may be slow."""

import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from fabriek.access.reviewing.telling import sentence
from fabriek.compute.notices.letters import Letter
from fabriek.funding.duties.reminding import sentence as reminder
from fabriek.kernel.errors import FabriekError
from fabriek.web.services import Services
from fabriek.worker.beside import tried
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
        posts: list[Post] = []
        for kept in POSTS:  # what one part cannot say keeps no other's mail back
            tried(kept.__name__, partial(_take, kept, self._services, posts))
        self._going += [self._pool.submit(mail, self._services, one) for one in posts]
        return len(letters) + len(posts)

    def close(self) -> None:
        """Waits for what is being sent; the rest is sent by the next."""
        self._pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Post:
    """A mail that some part of the factory keeps until it was handed in. `about` is for the log, `name` keeps a relay from sending it twice;
    `mailed` writes down that it went.
    """

    about: str
    to: str
    subject: str
    text: str
    name: str
    mailed: Callable[[], None]


def of_reviews(services: Services) -> Iterator[Post]:
    """What reviewing has to tell."""
    for told, to in services.reviewing.take_unsent():
        says = sentence(told)
        text = f"{_capital(says)}.\n\n{services.outbox.base}/reviews/{told.application}\n"
        mailed = partial(services.reviewing.mailed, told)
        yield Post("a notice of a review", to, f"Review: {says}", text, _name(told.id), mailed)


def of_access(services: Services) -> Iterator[Post]:
    """Reminders of reviews of access."""
    for letter in services.joining.reminding.take_unsent():
        mailed = partial(services.joining.reminding.mailed, letter.reminder)
        name = letter.reminder.name
        yield Post("a reminder of a review of access", letter.to, letter.subject, letter.text, name, mailed)


def of_credits(services: Services) -> Iterator[Post]:
    """What becomes of projects' credits."""
    for telling, to in services.running_out.take_unsent():
        slug = services.access.project(telling.project).slug
        text = f"{telling.says}.\n\n{services.outbox.base}/projects/{slug}\n"
        mailed = partial(services.running_out.mailed, telling)
        yield Post("a notice of credits", to, f"Credits of project {slug}", text, _name(telling.id), mailed)


def of_duties(services: Services) -> Iterator[Post]:
    """Reminders of reports that awards ask for."""
    for told, to in services.duties.reminding.take_unsent():
        says, where = reminder(told), f"{services.outbox.base}/duties/{told.application}"
        text = f"{_capital(says)}.\n\nfabriek report file {told.application}\n{where}\n"
        mailed = partial(services.duties.reminding.mailed, told)
        yield Post("a reminder of a report", to, f"Report: {says}", text, _name(told.id), mailed)


POSTS = (of_reviews, of_access, of_credits, of_duties)


def _take(kept: Callable[[Services], Iterator[Post]], services: Services, posts: list[Post]) -> None:
    posts.extend(kept(services))


def mail(services: Services, post: Post) -> None:
    """Hands one in; what fails is due again later."""
    try:
        services.relay.send(post.to, post.subject, post.text, name=post.name)
    except FabriekError as error:
        log.warning("%s could not be mailed: %s", post.about, error.detail)
    except Exception:
        log.exception("%s could not be mailed", post.about)
    else:
        post.mailed()


def _capital(says: str) -> str:
    return says[:1].upper() + says[1:]


def _name(kept: str) -> str:
    """An id as a mail's name may be written."""
    return re.sub(r"[^\w-]", ".", kept)


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
