"""Notices written in the transaction of the step they tell of, and sent afterwards: at least once, each under an id that does not change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fabriek.access.service import Access
from fabriek.compute.jobs import ENDED, Job, State
from fabriek.compute.notices import letters, notices
from fabriek.compute.notices.letters import Letter
from fabriek.compute.notices.notices import ASKED_MAX, KEPT, MAIL, Notice, NoticeAsked, Occasion
from fabriek.compute.ports import JobNames, Jobs, Notices
from fabriek.compute.secrets.secrets import SIGNING_KEY
from fabriek.compute.secrets.strongbox import Strongbox
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import FabriekError, InvalidInput, NotFound, NotPermitted
from fabriek.vault.labelling.labels import Labels

FAILED = frozenset({State.FAILED, State.LOST})
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Outbox:
    """`base`: where people reach the portal. `mails`: whether mail can be sent at all. `check_address` raises NotPermitted or InvalidInput on
    an address of the web that nothing may be sent to.
    """

    notices: Notices
    jobs: Jobs
    names: JobNames
    access: Access
    strongbox: Strongbox
    labels: Labels
    clock: Clock
    base: str
    mails: bool
    check_address: Callable[[str], None]

    def check(self, project: str, asked: Sequence[NoticeAsked], *, by: Caller) -> None:
        """Raises InvalidInput or NotPermitted on what could never be sent. Whoever calls has asked for the right to submit."""
        if len(asked) > ASKED_MAX:
            raise InvalidInput(f"a job tells at most {ASKED_MAX}", fix="leave some of --notify out")
        for one in asked:
            if one.target == MAIL:
                self._check_mail(by)
                continue
            if one.target.startswith(KEPT):
                self._check_kept(project, one.target.removeprefix(KEPT))
            else:
                self.check_address(one.target)
            self._check_kept(project, SIGNING_KEY, "openssl rand -hex 32 | ")

    def _check_mail(self, by: Caller) -> None:
        if not self.mails:
            raise NotPermitted(
                "this installation sends no mail",
                rule="outbound.mail",
                fix="ask the operator for the setting mail_host",
            )
        self._address(by.person)

    def _check_kept(self, project: str, name: str, made_by: str = "") -> None:
        if not self.strongbox.has(project, name):
            what = "sign notices to programs with" if name == SIGNING_KEY else "take an address from"
            raise InvalidInput(
                f"this project has no secret {name} to {what}", fix=f"{made_by}fabriek secret set {name}"
            )

    def write(self, job: Job) -> None:
        """What is to be told of the step that the job has just taken; joins its transaction."""
        if not job.notify:
            return
        subject, now = job.array or job.id, self.clock.now()
        for target, occasion in notices.due_now(job.notify, _happened(job)):
            self.notices.add(notices.new_notice(subject, job.id, job.project, occasion, target, now))
        if job.array and job.state in ENDED:
            # Written at the first end, and held until the last: who came last could not be told among servers.
            for target, occasion in notices.due_now(job.notify, [Occasion.END]):
                self.notices.add(notices.new_notice(subject, job.id, job.project, occasion, target, now))

    def of_job(self, job: Job) -> Sequence[Notice]:
        """What was told, or could not be, by its time."""
        return self.notices.of_subject(job.array or job.id) if job.notify else []

    def take(self) -> Sequence[Letter]:
        """What is due, written out, and for a while nobody else's to send."""
        now, taken = self.clock.now(), []
        if not self.notices.due(now, limit=1):  # so that an idle factory writes nothing
            return []
        with self.jobs.transaction(alone="notices"):
            for one in self.notices.due(now, limit=AT_ONCE):
                if self._is_held(one):
                    self.notices.save(notices.held(one, now))
                else:
                    taken.append(notices.claimed(one, now))
                    self.notices.save(taken[-1])
        return [letter for one in taken if (letter := self._written(one)) is not None]

    def sent(self, notice: Notice) -> None:
        with self.jobs.transaction():
            self.notices.save(notices.sent(notice, self.clock.now()))

    def failed(self, notice: Notice, why: str) -> None:
        with self.jobs.transaction():
            self.notices.save(notices.failed(notice, why, self.clock.now()))

    def _is_held(self, notice: Notice) -> bool:
        if notice.occasion is not Occasion.END or notice.subject == notice.job:
            return False
        return not ENDED.issuperset(self._states(notice))

    def _states(self, notice: Notice) -> Sequence[State]:
        return self.names.states([notice.subject]).get(notice.subject, [])

    def _written(self, notice: Notice) -> Letter | None:
        try:
            job, project = self.jobs.get(notice.job), self.access.project(notice.project)
            is_open = job.label == self.labels.lowest
            link = f"{self.base}/projects/{project.slug}/jobs/{job.id}"
            facts = letters.facts_of(
                notice, job, self._states(notice), project=project.slug, link=link, is_open=is_open
            )
            if notice.target == MAIL:
                return letters.mail_of(notice, facts, self._address(job.person))
            to = notice.target
            if to.startswith(KEPT):
                to = self._kept(project.id, to.removeprefix(KEPT))
            return letters.signed_of(notice, facts, to, self._kept(project.id, SIGNING_KEY), self.clock.now())
        except FabriekError as error:
            self.failed(notice, error.detail)
            return None

    def _kept(self, project: str, name: str) -> str:
        value = self.strongbox.value(project, name)
        if not value:
            raise NotFound(f"the project has no secret {name} any more", fix=f"fabriek secret set {name}")
        return value

    def _address(self, person: str) -> str:
        found = self.access.person(person)
        if "@" not in found.email or not found.active:
            raise NotFound(
                "no address is known of who submitted it", fix="an administrator keeps addresses: fabriek org"
            )
        return found.email


def _happened(job: Job) -> Sequence[Occasion]:
    """Occasions of the state that the job has come into, the widest first; of an element its array's end is another matter."""
    if job.state is State.RUNNING:
        return [Occasion.BEGIN]
    ends = [] if job.array else [Occasion.END]
    return [*ends, Occasion.FAIL] if job.state in FAILED else ends if job.state in ENDED else []
