"""What one may do with requests for packages: ask, bring the files, decide. Each verb: right, rule, record."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fabriek.audit.service import Audit
from fabriek.kernel.callers import SYSTEM, Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted, nothing_here
from fabriek.kernel.ids import Ids
from fabriek.packages.files import EVERYBODY, File, Listed
from fabriek.packages.findings import is_grave
from fabriek.packages.names import Pinned, read_pinned, same_version
from fabriek.packages.ports import Files, Projects, Requests
from fabriek.packages.requests import Request, State, check_text, decide, move
from fabriek.packages.shelf import Shelf

FILES_MAX = 500


class Packages:
    """Requests for packages. `alone`: one person may decide on what they asked for, as long as nobody else is here."""

    def __init__(
        self, requests: Requests, files: Files, shelf: Shelf, *, projects: Projects, audit: Audit, clock: Clock, ids: Ids, alone: bool
    ) -> None:  # fmt: skip
        self._requests, self._files, self.shelf = requests, files, shelf
        self._projects, self._audit, self._clock, self._ids, self._alone = projects, audit, clock, ids, alone

    def ask(self, project_ref: str, package: str, reason: str, *, by: Caller) -> Request:
        """A request of a project. One that waits already is given again, and its files are looked for anew.

        Raises AlreadyExists where it may be installed already.
        """
        project = self._projects.project(project_ref)
        require(by, "package.ask", project=project.id)
        wanted = read_pinned(package)
        if self.shelf.is_installable(wanted, project=project.id):
            raise AlreadyExists(
                f"{wanted} may be installed here already", fix=f"pip install {wanted}, or put it into --requirements"
            )
        return self._open(project.id, wanted, reason, by)

    def carry(self, package: str, reason: str, *, by: Caller) -> Request:
        """An operator's own request, for all, whose files they bring."""
        require(by, "package.add")
        return self._open(EVERYBODY, read_pinned(package), reason, by)

    def take(self, request_id: str, name: str, chunks: Iterable[bytes], *, yanked: bool = False, by: Caller) -> File:
        """One file of a request: the package, or something that it needs. Raises WrongState once it was looked through."""
        require(by, "package.add")
        asked = self._requests.get(request_id)
        move(asked, State.SCANNED)
        if len(asked.files) >= FILES_MAX:
            raise InvalidInput(f"a request has at most {FILES_MAX} files", fix="ask for parts of it")
        kept = self.shelf.take(name, chunks, yanked=yanked, by=by)
        with self._requests.transaction(alone=f"package-request:{request_id}"):
            asked = self._requests.get(request_id)
            move(asked, State.SCANNED)
            self._requests.put(replace(asked, files=tuple(dict.fromkeys([*asked.files, kept.name]))))
        return kept

    def ready(self, request_id: str, *, by: Caller) -> Request:
        """All files are there: it can be decided. Raises InvalidInput when the package itself is not among them."""
        require(by, "package.add")
        with self._requests.transaction(alone=f"package-request:{request_id}"):
            asked = self._requests.get(request_id)
            files = [self._files.get(name) for name in asked.files]
            if not any(_is(one, asked.package) for one in files):
                raise InvalidInput(
                    f"no file of {asked.package} is among those that were brought", fix=f"fabriek package add --request {asked.id} FILE.whl"
                )  # fmt: skip
            done = replace(move(asked, State.SCANNED), trouble="")
            self._requests.put(done)
            grave = sum(is_grave(one.findings) for one in files)
            self._audit.record("package.scanned", asked.id, by, files=len(files), grave=grave)
        return done

    def in_trouble(self, request_id: str, says: str) -> None:
        """For the factory's own worker: the files could not be fetched, and why."""
        with self._requests.transaction(alone=f"package-request:{request_id}"):
            asked = self._requests.get(request_id)
            if asked.state is State.ASKED:
                self._requests.put(replace(asked, trouble=says))

    def to_fetch(self) -> Sequence[Request]:
        """What waits for its files, oldest first; for the factory's own worker."""
        return [one for one in self._requests.in_state(State.ASKED) if one.project and not one.trouble]

    def approve(self, request_id: str, *, everybody: bool = False, despite: str = "", by: Caller) -> Request:
        """Puts it and all that it needs on the index: of the project that asked, or of all. Never by who asked or brought a file.

        Raises NotPermitted (`package.two_people`, `package.grave`), WrongState.
        """
        require(by, "package.approve")
        with self._requests.transaction(alone=f"package-request:{request_id}"):
            asked = self._requests.get(request_id)
            alone = self._alone and self._projects.is_alone()
            says = check_text(despite, needed=False)
            done = decide(asked, State.APPROVED, by=by.person, at=self._clock.now(), says=says, alone=alone)
            project = EVERYBODY if everybody else asked.project
            self.shelf.approve(done, project, says, alone=alone, by=by)
            self._requests.put(done)
            self._audit.record(
                "package.approved", done.id, by, project=project or "all", files=len(done.files), despite=bool(says)
            )
        return done

    def refuse(self, request_id: str, reason: str, *, by: Caller) -> Request:
        require(by, "package.approve")
        with self._requests.transaction(alone=f"package-request:{request_id}"):
            asked = self._requests.get(request_id)
            done = decide(asked, State.REFUSED, by=by.person, at=self._clock.now(), says=reason, alone=True)
            self._requests.put(done)
            self._audit.record("package.refused", done.id, by)
        return done

    def take_back(self, request_id: str, *, by: Caller) -> Request:
        """By who asked. Raises NotFound for one that the caller may not know of, NotPermitted for one of another person."""
        with self._requests.transaction(alone=f"package-request:{request_id}"):
            asked = self.request(request_id, by=by)
            if asked.person != by.person:
                raise NotPermitted("a request is taken back by who asked", rule="package.own", fix="ask them")
            done = move(asked, State.WITHDRAWN)
            self._requests.put(done)
            self._audit.record("package.request_withdrawn", done.id, by)
        return done

    def request(self, request_id: str, *, by: Caller) -> Request:
        """For members of its project and for who approves. Raises NotFound."""
        try:
            found = self._requests.get(request_id)
        except NotFound:
            raise nothing_here() from None
        if not (by is SYSTEM or by.may("package.approve") or (found.project and by.is_member_of(found.project))):
            raise nothing_here()
        return found

    def requests(self, project_ref: str = "", *, by: Caller) -> Sequence[Request]:
        """Newest first: of a project, for its members; of all, for who approves."""
        if not project_ref:
            require(by, "package.approve")
            return self._requests.of_project("")
        project = self._projects.project(project_ref)
        require(by, "package.ask", project=project.id)
        return self._requests.of_project(project.id)

    def files_of(self, request: Request, *, by: Caller) -> Sequence[Listed]:
        """The files of a request that `request` gave, the package itself first."""
        files = [self._files.get(name) for name in request.files]
        ordered = sorted(files, key=lambda one: (not _is(one, request.package), one.name))
        return self.shelf.standing_of(ordered, by=by)

    def _open(self, project: str, wanted: Pinned, reason: str, by: Caller) -> Request:
        with self._requests.transaction(alone=f"package:{project}:{wanted.name}"):
            waiting = self._requests.open_for(project, wanted)
            if waiting is not None:
                made = replace(waiting, trouble="")
            else:
                made = Request(self._ids.new("pkg"), project, by.person, wanted, check_text(reason), self._clock.now())
                self._audit.record("package.asked", made.id, by, project=project or "all")
            self._requests.put(made)
        return made


def _is(file: File, package: Pinned) -> bool:
    return file.package == package.name and same_version(file.version, package.version)
