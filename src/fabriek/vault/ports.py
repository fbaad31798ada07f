"""What the vault needs from the outside world."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Protocol

from fabriek.kernel.callers import Caller
from fabriek.kernel.stored import Stored
from fabriek.vault.agreeing.agreements import Agreement
from fabriek.vault.agreeing.requests import AccessRequest
from fabriek.vault.agreeing.terms import Acceptance, Terms
from fabriek.vault.datasets import Dataset, Kind
from fabriek.vault.grants import Grant
from fabriek.vault.keeping.epochs import Epoch
from fabriek.vault.labelling.proposals import Act, Proposal
from fabriek.vault.tags import Tag
from fabriek.vault.uploads import StoredObject, Upload
from fabriek.vault.versions import Version


class Blobs(Protocol):
    """A store of objects, each written once under a name that we made.

    What is returned from `put` is durable. Nothing of an object is visible before all of it is.
    """

    def put(self, name: str, chunks: Iterable[bytes], *, bytes_max: int | None = None) -> Stored:
        """Takes a stream. The same bytes once more are welcome; raises AlreadyExists on others under the same name, InvalidInput
        above bytes_max, StorageFull, Unavailable. What is raised by `chunks` passes through. After any of these nothing is left.
        """

    def get(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes start ≤ position < stop, in pieces; fewer only at the end. Raises NotFound, at the latest with the first piece."""

    def size(self, name: str) -> int:
        """In bytes. Raises NotFound."""

    def delete(self, name: str) -> None:
        """It is no error if there is none."""

    def names(self) -> Iterator[str]:
        """Every object, in no order. A store may leave out what is new and name what is gone: `size` is asked where that matters."""


class Addresses(Protocol):
    """Of a store that clients reach themselves. An address is good for one object, one act and a short time.

    What clients send lands apart from the objects: no address that anybody holds ever writes to an object that stands.
    """

    def to_get(self, names: Sequence[str], lasts: timedelta) -> Sequence[str]:
        """Where each object is read, whole or in ranges, in the order of the names."""

    def to_put(self, names: Sequence[str], lasts: timedelta) -> Sequence[str]:
        """Where each of these may arrive."""

    def take(self, name: str, size: int) -> None:
        """Makes what arrived under this name an object, if it has this size in bytes. Durable when this returns; asked again, nothing more.

        Raises NotFound when nothing has arrived, InvalidInput when something else has, AlreadyExists when there is an object of this
        name and another size, Unavailable.
        """

    def clear(self, before: datetime) -> int:
        """Removes what arrived before that and was never taken; how many."""


class ProjectFacts(Protocol):
    """What the vault asks of a project."""

    @property
    def id(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def label_ceiling(self) -> str: ...
    @property
    def lead_organisation(self) -> str: ...


class Projects(Protocol):
    """Where the vault learns of projects."""

    def project(self, name: str) -> ProjectFacts:
        """By id or slug. Raises NotFound."""

    def remove_member(self, project: str, person: str, *, by: Caller) -> None:
        """Joins the open transaction. Raises NotFound, NotPermitted, WrongState for the last lead."""


class Paying(Protocol):
    """Who knows whether what a project keeps is paid for."""

    def check_data(self, project: str) -> None:
        """Raises NotPermitted, naming the rule, where access to its data is shut."""


class Trained(Protocol):
    """Who knows who took which course. Some labels ask for one."""

    def has(self, person: str, course: str) -> bool:
        """Whether a certificate of theirs is in force today."""

    def next_on(self, course: str) -> date | None:
        """The day of its next lesson; None where none is planned."""


class People(Protocol):
    """Where the vault learns what a person may do who is not asking just now."""

    def caller_for(self, person: str) -> Caller:
        """With the rights they hold today. Raises NotAuthenticated for somebody who is no longer here, NotFound for nobody."""


class Datasets(Protocol):
    """Storage of datasets. Every change joins the transaction that is open."""

    def transaction(self, *, alone: str = "") -> AbstractContextManager[None]:
        """All or nothing, and alone among all that name the same key."""

    def add(self, dataset: Dataset) -> None:
        """Raises AlreadyExists when the project has one of that name."""

    def get(self, dataset_id: str) -> Dataset:
        """Raises NotFound."""

    def among(self, ids: Collection[str]) -> Mapping[str, Dataset]:
        """By id; what is not known is left out."""

    def named(self, project: str, name: str) -> Dataset:
        """Raises NotFound."""

    def of_project(self, project: str, kind: Kind, *, limit: int, after: str) -> Sequence[Dataset]:
        """By name, from the one after `after` on."""

    def save(self, dataset: Dataset) -> None: ...

    def from_job(self, job: str) -> Sequence[Dataset]:
        """What the job made, oldest first."""

    def from_jobs(self, jobs: Collection[str]) -> Sequence[Dataset]:
        """What any of them made."""

    def labels(self) -> frozenset[str]:
        """Every label that stands on any dataset."""


class Expiring(Protocol):
    """Storage that knows which datasets have outlived their time."""

    def to_erase(self, today: date) -> Sequence[Dataset]:
        """Those whose last day has passed and that are not erased."""


class Versions(Protocol):
    """Storage of versions and of the objects that each uses."""

    def add(self, version: Version, objects: Collection[str]) -> None:
        """Raises AlreadyExists when the dataset has that number."""

    def get(self, version_id: str) -> Version:
        """Raises NotFound."""

    def numbered(self, dataset: str, number: int) -> Version:
        """The newest for number 0. Raises NotFound."""

    def newest_of(self, of: Collection[str]) -> Mapping[str, Version]:
        """Dataset → its newest; those without any are left out."""

    def of_dataset(self, dataset: str) -> Sequence[Version]:
        """Newest first."""

    def save(self, version: Version) -> None:
        """Its record, wrapped key and end; nothing else of a version ever changes. A removed one uses no objects and is not found."""

    def last_number(self, dataset: str) -> int:
        """The highest that was ever given, removed versions counted; 0 before the first."""

    def uses(self, version_id: str, object_id: str) -> bool: ...

    def objects(self, version_id: str) -> frozenset[str]: ...

    def count_objects(self, version_id: str) -> int: ...

    def among(self, version_id: str, names: Collection[str]) -> frozenset[str]:
        """Those of the names that the version uses."""


class Tags(Protocol):
    """Storage of names for versions."""

    def put(self, tag: Tag) -> None:
        """Sets it, or moves it."""

    def get(self, dataset: str, name: str) -> Tag | None: ...

    def of_dataset(self, dataset: str) -> Sequence[Tag]:
        """By name."""

    def remove(self, dataset: str, name: str) -> None: ...


class Uploads(Protocol):
    """Storage of uploads and of the objects that they brought."""

    def add(self, upload: Upload) -> None: ...

    def get(self, upload_id: str) -> Upload:
        """Raises NotFound."""

    def save(self, upload: Upload) -> None: ...

    def of_job(self, job: str) -> Upload | None: ...

    def open_of(self, person: str, project: str, now: datetime) -> Sequence[Upload]:
        """Those that a person may still add to, of datasets at home in a project."""

    def mint(self, upload: Upload, names: Sequence[str], *, objects_max: int) -> None:
        """Objects to come. Raises QuotaExhausted when the upload would have more than objects_max."""

    def stored(self, object_id: str, stored: Stored, at: datetime) -> bool:
        """The object has arrived. False when it is awaited no more: it was collected. Raises AlreadyExists where it had arrived with other
        bytes: the server does not read what is put at an address, and a second word about it replaces no first one.
        """

    def objects(self, upload_id: str, among: Collection[str]) -> Mapping[str, StoredObject]:
        """Those of the names that were minted for it, arrived or not."""

    def use(self, upload: Upload, objects: Collection[str], left: Collection[str]) -> None:
        """Its version will use these objects of its own, and not those of its parent. Idempotent."""

    def forget_uses(self, upload: Upload) -> None:
        """As if `use` had never been asked."""

    def settle(self, upload: Upload, version_id: str, *, on_parent: bool) -> int:
        """Writes down what the version uses beside its manifest; how many objects."""


class Grants(Protocol):
    """Storage of grants: also the log of who opened what."""

    def add(self, grant: Grant) -> None: ...

    def get(self, grant_id: str) -> Grant:
        """Raises NotFound."""

    def of_job(self, job: str) -> Sequence[Grant]: ...

    def people_of(self, jobs: Collection[str]) -> Mapping[str, frozenset[str]]:
        """By job, for whom its grants were given. Jobs without any are left out."""

    def of_dataset(self, dataset: str, *, limit: int) -> Sequence[Grant]:
        """Newest first."""

    def projects_of(self, dataset: str) -> int:
        """In how many projects it was ever opened."""

    def open_ones(self, now: datetime, *, dataset: str = "") -> Sequence[Grant]:
        """Those that open something now, of every dataset or one; newest first."""

    def opened_by(self, person: str, project: str) -> frozenset[str]:
        """The datasets that this person, or a job of theirs, ever opened in a project."""

    def end(
        self, at: datetime, *, grant: str = "", job: str = "", dataset: str = "", project: str = "", person: str = ""
    ) -> int:
        """Ends those that are open and match every name given; how many."""

    def end_stale(self, now: datetime) -> int:
        """Ends those whose time is over; how many."""


class Agreements(Protocol):
    """Storage of agreements. They are ended, never deleted."""

    def add(self, agreement: Agreement) -> None: ...

    def get(self, agreement_id: str) -> Agreement:
        """Raises NotFound."""

    def of_dataset(self, dataset: str) -> Sequence[Agreement]:
        """Oldest first."""

    def run_out(self, today: date) -> Sequence[Agreement]:
        """Those whose last day has passed and that nobody closed."""

    def save(self, agreement: Agreement) -> None: ...


class Requests(Protocol):
    """Storage of requests for access."""

    def add(self, request: AccessRequest) -> None: ...

    def get(self, request_id: str) -> AccessRequest:
        """Raises NotFound."""

    def of_person(self, person: str) -> Sequence[AccessRequest]:
        """Newest first."""

    def of_dataset(self, dataset: str) -> Sequence[AccessRequest]:
        """Oldest first."""

    def save(self, request: AccessRequest) -> None: ...


class TermsKept(Protocol):
    """Storage of terms and of who accepted them. Nothing of it is changed or deleted."""

    def add(self, terms: Terms) -> None: ...

    def numbered(self, dataset: str, number: int) -> Terms | None:
        """The newest for number 0; None when there is none."""

    def accept(self, acceptance: Acceptance) -> None:
        """Once more by the same person is no error."""

    def accepted_by(self, person: str, dataset: str) -> frozenset[int]:
        """The numbers of the terms."""

    def acceptances(self, dataset: str) -> Sequence[Acceptance]:
        """Newest first."""


class Proposals(Protocol):
    """Storage of proposals. They are decided, never deleted."""

    def add(self, proposal: Proposal) -> None: ...

    def get(self, proposal_id: str) -> Proposal:
        """Raises NotFound."""

    def about(self, subject: str) -> Sequence[Proposal]:
        """Newest first."""

    def agreed_in(self, projects: Collection[str], act: Act) -> Sequence[Proposal]:
        """Those that were agreed to, oldest first."""

    def open_in(self, projects: Collection[str], act: Act) -> Sequence[Proposal]:
        """Those that nobody decided yet, about what is at home in these projects; oldest first."""

    def save(self, proposal: Proposal) -> None: ...


class EpochKeys(Protocol):
    """Storage of wrapped epoch keys, and of the objects that were sealed here."""

    def add(self, epoch: Epoch) -> bool:
        """False when the dataset has an epoch of that number already: another server was first."""

    def get(self, dataset: str, number: int) -> Epoch:
        """Raises NotFound."""

    def keep_object_key(self, dataset: str, object_id: str, epoch: int, wrapped: bytes, stored: Stored) -> None: ...

    def object_key(self, dataset: str, object_id: str) -> tuple[int, bytes, Stored]:
        """(epoch, wrapped key, what the store took). Raises NotFound."""

    def forget_object_keys(self, dataset: str, objects: Sequence[str]) -> None: ...

    def of_dataset(self, dataset: str) -> Sequence[Epoch]:
        """Oldest first."""

    def destroy(self, dataset: str, *, below: int = 0) -> int:
        """All epoch keys of a dataset, or those of a lower number that wrap the key of no object; how many."""
