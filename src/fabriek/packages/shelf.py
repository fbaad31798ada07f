"""Verbs on files: take one in, look through it, give it out. Bytes are sealed as they come; who may see a file is asked each time."""

import hmac
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from fabriek.audit.service import Audit
from fabriek.kernel.callers import Caller, require
from fabriek.kernel.clock import Clock
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotFound, NotPermitted
from fabriek.kernel.streams import Counted
from fabriek.packages.files import EVERYBODY, Approval, File, Listed
from fabriek.packages.findings import Surroundings, is_grave, look_through, renewed
from fabriek.packages.names import Pinned, normalised, same_version
from fabriek.packages.ports import Advisories, Approvals, Files, Requests, Rooms, Safe
from fabriek.packages.requests import Request, by_one_person, check_text
from fabriek.packages.sealed import as_file
from fabriek.packages.wheels import Wheel, read_file_name, read_wheel

FILE_BYTES_MAX = 8 * 2**30
ROOM = "_packages"


class Shelf:
    """The wheels that are kept."""

    def __init__(
        self, files: Files, approvals: Approvals, requests: Requests, *, safe: Safe, rooms: Rooms, advisories: Advisories,
        well_known: Collection[str], audit: Audit, clock: Clock,
    ) -> None:  # fmt: skip
        self._files, self._approvals, self._requests = files, approvals, requests
        self._safe, self._rooms, self._advisories, self._well_known = safe, rooms, advisories, well_known
        self._audit, self._clock = audit, clock

    def take(self, name: str, chunks: Iterable[bytes], *, yanked: bool = False, by: Caller) -> File:
        """Seals a wheel, reads it, and keeps what was found. Bytes that are kept already are not kept twice.

        Raises InvalidInput on what is no sound wheel and AlreadyExists on other bytes under a known name; then nothing is left.
        """
        require(by, "package.add")
        read_file_name(name)
        room = self._rooms.common_room(ROOM)
        counted = Counted(chunks, FILE_BYTES_MAX)
        sealed = self._safe.put(room, counted)
        try:
            if known := self._known(name, counted.sha256.hexdigest()):
                self._safe.remove(room, sealed.id)
                return known
            source = as_file(lambda start, stop: self._safe.open(room, sealed.id, start, stop), counted.size)
            wheel = read_wheel(name, source, counted.size)
            made = self._file(wheel, counted, sealed.id, yanked, by)
        except BaseException:
            self._safe.remove(room, sealed.id)
            raise
        try:
            with self._requests.transaction(alone=f"package:{name}"):
                meanwhile = self._known(name, made.sha256)  # somebody else may have brought it while this was read
                if meanwhile is None:
                    self._files.add(made, wheel.raw_metadata)
                    self._audit.record("package.kept", sealed.id, by, sha256=made.sha256, grave=is_grave(made.findings))
        except (AlreadyExists, InvalidInput):
            # Refused for certain. After anything else, as a lost answer to the commit, the file may be kept all the same.
            self._safe.remove(room, sealed.id)
            raise
        if meanwhile is not None:
            self._safe.remove(room, sealed.id)
        return meanwhile or made

    def packages(self, *, by: Caller, project: str = "") -> Sequence[str]:
        """What the caller may install, by normalised name; `project` narrows it to what may be installed there."""
        return self._approvals.packages(_places(by, project))

    def on_index(self, package: str, *, by: Caller, project: str = "") -> Sequence[File]:
        """The files of a package that the caller may install; empty for one that is not there, or not for them."""
        return [one.file for one in self._seen(normalised(package), _places(by, project)) if one.standing == "approved"]

    def listed(self, package: str = "", *, by: Caller) -> Sequence[Listed]:
        """Files with what was found. Who approves sees all; anybody else what is or was approved for them."""
        places = None if by.may("package.approve") else _places(by, "")
        return self._seen(normalised(package) if package else "", places)

    def is_installable(self, package: Pinned, *, project: str) -> bool:
        """Whether this version may be installed in this project now."""
        seen = self._seen(package.name, {project, EVERYBODY})
        return any(one.standing == "approved" and same_version(one.file.version, package.version) for one in seen)

    def has_any(self, package: str, *, project: str) -> bool:
        """Whether some version may be installed in this project now."""
        return package in self._approvals.packages({project, EVERYBODY})

    def withdrawn(self) -> Sequence[str]:
        """The names of all files that may not be installed any more."""
        return self._files.withdrawn()

    def found(self, name: str, *, by: Caller) -> File:
        """A file that the caller may install. Raises NotFound, the same for what is not there and for what is not theirs."""
        file = self._files.get(name)
        if all(one.name != name for one in self.on_index(file.package, by=by)):
            raise no_such_file()
        return file

    def metadata(self, name: str, *, by: Caller) -> bytes:
        """METADATA to the byte, so that an installer need not fetch the whole file to plan. Raises NotFound."""
        return self._files.metadata(self.found(name, by=by).name)

    def open(self, file: File, start: int, stop: int, *, by: Caller) -> Iterator[bytes]:
        """The bytes of a file that `found` gave. Who took it from its beginning stands in the log: one day it may be withdrawn."""
        if start == 0:
            with self._requests.transaction():
                self._audit.record("package.taken", file.object_id, by, sha256=file.sha256)
        return self._safe.open(self._rooms.common_room(ROOM), file.object_id, start, stop)

    def approve(self, request: Request, project: str, despite: str, *, alone: bool, by: Caller) -> None:
        """Puts every file of a request on the index of a project, or of all. Advisories are looked up once more. alone: one person may do both.

        Raises NotPermitted on a grave finding without a reason and on a file that only this person has seen, InvalidInput on a withdrawn
        one. Joins the caller's transaction.
        """
        files = [self._files.get(name) for name in request.files]
        by_others = {one.file for one in self._approvals.of_files(request.files) if one.by != by.person}
        if not alone and any(one.added_by == by.person and one.name not in by_others for one in files):
            raise by_one_person()
        advised = self._advisories.about([Pinned(one.package, one.version) for one in files])
        for file, found in zip(files, advised, strict=True):
            now = replace(file, findings=renewed(file.findings, found))
            self._files.save(now)
            _check_approvable(now, despite)
            self._approvals.put(Approval(file.name, project, request.id, by.person, self._clock.now(), despite))

    def withdraw(self, package: Pinned, reason: str, *, by: Caller) -> Sequence[File]:
        """Takes a version off every index; environments that hold it are not used for new jobs. Raises NotFound, InvalidInput."""
        require(by, "package.approve")
        why = check_text(reason)
        with self._requests.transaction(alone=f"package:{package.name}"):
            kept = [one for one in self._files.of_package(package.name) if same_version(one.version, package.version)]
            if not kept:
                raise NotFound(f"no file of {package} is kept", fix="fabriek package ls")
            gone = [replace(one, withdrawn_at=self._clock.now(), withdrawn_for=why) for one in kept]
            for one in gone:
                self._files.save(one)
                self._audit.record("package.withdrawn", one.object_id, by, sha256=one.sha256)
        return gone

    def standing_of(self, files: Sequence[File], *, by: Caller) -> Sequence[Listed]:
        """The files with the approvals that the caller may know of."""
        return self._with_approvals(files, None if by.may("package.approve") else _places(by, ""))

    def _seen(self, package: str, places: Collection[str] | None) -> list[Listed]:
        """The files that have an approval in these places; all where None."""
        seen = self._with_approvals(self._files.of_package(package), places)
        return [one for one in seen if places is None or one.approvals]

    def _with_approvals(self, files: Sequence[File], places: Collection[str] | None) -> list[Listed]:
        by_file: dict[str, list[Approval]] = {}
        for one in self._approvals.of_files([file.name for file in files]):
            if places is None or one.project in places:
                by_file.setdefault(one.file, []).append(one)
        return [Listed(file, tuple(by_file.get(file.name, ()))) for file in files]

    def _known(self, name: str, sha256: str) -> File | None:
        try:
            known = self._files.get(name)
        except NotFound:
            return None
        if hmac.compare_digest(known.sha256, sha256):
            return known
        raise AlreadyExists(
            f"{name} is kept with other bytes", fix="give the new build a version or build number of its own"
        )

    def _file(self, wheel: Wheel, counted: Counted, object_id: str, yanked: bool, by: Caller) -> File:  # noqa: FBT001
        package = wheel.file.package
        (advised,) = self._advisories.about([package])
        around = Surroundings(self._approvals.names(), self._well_known, advised, counted.size, yanked)
        said = wheel.metadata
        return File(
            wheel.file.text, package.name, said.version, counted.sha256.hexdigest(), counted.size, object_id, wheel.file.tags,
            said.requires_python, said.licence, said.summary, look_through(wheel, around), by.person, self._clock.now(),
        )  # fmt: skip


def no_such_file() -> NotFound:
    return NotFound("there is no such file, or it is not approved for you", fix="fabriek package search NAME")


def _places(by: Caller, project: str) -> set[str]:
    if project:
        return {project, EVERYBODY} if by.is_member_of(project) else {EVERYBODY}
    return {*by.project_rights, EVERYBODY}


def _check_approvable(file: File, despite: str) -> None:
    if file.withdrawn_at is not None:
        raise InvalidInput(f"{file.name} was withdrawn: {file.withdrawn_for}", fix="ask for another version")
    if is_grave(file.findings) and not despite:
        grave = next(one for one in file.findings if one.weight == "grave")
        raise NotPermitted(
            f"{file.name}: {grave.says}",
            rule="package.grave",
            fix="refuse it, or say why it is approved: --despite REASON",
        )
