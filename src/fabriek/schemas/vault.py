"""The vault on the wire. Keys travel as base64, inside TLS, to whoever may hold them; sealed bytes travel as they are."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Base64Bytes, Field, StringConstraints

from fabriek.schemas.base import Slug, Wire

LabelName = Annotated[str, StringConstraints(max_length=200)]
ObjectId = Annotated[str, StringConstraints(pattern=r"^obj_[0-9a-z]{1,26}$")]
ObjectIds = Annotated[list[ObjectId], Field(max_length=10_000)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Key = Annotated[Base64Bytes, Field(min_length=32, max_length=32)]
PlaceName = Annotated[str, StringConstraints(min_length=2, max_length=104)]
Question = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Words = Annotated[str, StringConstraints(max_length=2_000)]
Word = Annotated[str, StringConstraints(max_length=40)]


class DatasetIn(Wire):
    """A new dataset; an empty label means the default, `internal`, an empty key home the installation."""

    name: Slug
    label: LabelName = ""
    key_home: Word = ""


class VersionOut(Wire):
    """One version. `content_hash` says what the files are, whatever the keys: two copies of the same data have the same.
    `verified_at`: by then every byte had been read again and was sound; `damage`: what is wrong with it now.
    """

    id: str
    dataset: str
    name: str
    number: int
    label: str
    files: int
    size_bytes: int
    content_hash: str
    created_at: datetime
    created_by: str
    verified_at: datetime | None = None
    damage: str = ""


class DatasetOut(Wire):
    """A dataset as the caller may see it. `newest` is the number of its newest version, 0 before the first. `promise` says what its
    key home protects against. `held`: under a legal hold. `verified_at` and `damage` of the newest version.
    """

    id: str
    project: str
    name: str
    organisation: str
    label: str
    created_at: datetime
    created_by: str
    newest: int
    files: int = 0
    size_bytes: int = 0
    is_published: bool = False
    key_home: str = "installation"
    promise: str = ""
    held: bool = False
    keep_until: date | None = None
    erase_after: date | None = None
    erased_at: datetime | None = None
    verified_at: datetime | None = None
    damage: str = ""


class TagIn(Wire):
    """The name that a version gets."""

    tag: Annotated[str, StringConstraints(max_length=63)]


class TagOut(Wire):
    """A name, and the version that it stands for. It may be moved; the version stays as it is."""

    tag: str
    version: str
    number: int
    set_at: datetime
    set_by: str


class UploadIn(Wire):
    """Begins a version; a label raises the dataset's."""

    label: LabelName = ""


class RecordOut(Wire):
    """The signed record of a version: canonical JSON, and the installation's Ed25519 signature over it."""

    text: str
    signature: Base64Bytes


class GrantOut(Wire):
    """A grant with the key that it gives. Keep it in memory. `at_store`: its objects are read at addresses of the store."""

    grant: str
    organisation: str
    dataset: str
    version: str
    number: int
    manifest_object: str
    manifest_key: Base64Bytes
    expires_at: datetime
    record: RecordOut
    at_store: bool = False


class UploadOut(Wire):
    """An upload, and the version it builds on: what that one holds need not be sent again."""

    upload: str
    dataset: str
    organisation: str
    label: str
    parent: GrantOut | None = None


class ArrivalOut(Wire):
    """A file that somebody's client sends; `arrived_bytes` of it are durable. `path` is empty once it is in a version."""

    arrival: str
    path: str
    size_bytes: int
    arrived_bytes: int
    begun_at: datetime


class GatheringOut(Wire):
    """An upload whose files are sealed by the server. `version`: what it became, empty before that."""

    upload: str
    dataset: str
    label: str
    expires_at: datetime
    version: str = ""
    files: list[ArrivalOut] = Field(default_factory=list)


class MintIn(Wire):
    """How many names for objects."""

    count: Annotated[int, Field(ge=1, le=10_000)]


class MintOut(Wire):
    """Names for objects to come. `at_store`: they are sent to addresses of the store, and told of afterwards."""

    objects: list[str]
    at_store: bool = False


class AddressesIn(Wire):
    """The objects that addresses are asked for."""

    objects: Annotated[list[ObjectId], Field(min_length=1, max_length=1_000)]


class AddressesOut(Wire):
    """Object → its address, which is good for that one act, from now on for so many seconds. Whoever has one needs nothing else."""

    addresses: dict[str, str]
    lasts_seconds: int


class TakeIn(Wire):
    """What was put at an object's address, sealed."""

    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class StoredOut(Wire):
    """What the store took."""

    size: int
    sha256: str


class UseIn(Wire):
    """Objects of an upload that its version will use, and objects of its parent that it will not."""

    objects: ObjectIds = Field(default=[])
    left: ObjectIds = Field(default=[])


class CommitIn(Wire):
    """Makes an upload a version. `manifest_object` is the outermost page of its manifest, `count` how many objects it uses beside that:
    those named, here or before, and with `on_parent` those of its parent that were not left. `on_newest`: only while its parent is the
    newest version.
    """

    manifest_object: ObjectId
    manifest_key: Key
    count: Annotated[int, Field(ge=0, le=2**40)]
    objects: ObjectIds = Field(default=[])
    left: ObjectIds = Field(default=[])
    on_parent: bool = False
    files: Annotated[int, Field(ge=0, le=2**40)]
    size_bytes: Annotated[int, Field(ge=0, le=2**60)]
    content_hash: Sha256
    on_newest: bool = False


class AgreementIn(Wire):
    """Lets a project use the data for these purposes, to the end of the day `until`. `places`: where jobs may run, empty for anywhere."""

    project: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    purposes: Annotated[list[Word], Field(min_length=1, max_length=8)]
    right: Word = "compute"
    until: date
    places: list[PlaceName] = Field(default=[], max_length=20)


class AgreementOut(Wire):
    """What a project may do with a dataset. `terms`: the number of those that each person accepts first, 0 for none."""

    id: str
    dataset: str
    project: str
    purposes: list[str]
    right: str
    until: date
    signed_by: str
    signed_at: datetime
    ended_at: datetime | None = None
    in_force: bool
    terms: int = 0
    places: list[str] = Field(default=[])


class AccessRequestIn(Wire):
    """Asks the owner for access. `project`: where the data would be used; on a project's own route it is that project."""

    purpose: Word
    right: Word = "compute"
    reason: Words = ""
    answers: dict[Question, Words] = Field(default={}, max_length=20)
    draft: bool = False


class StepOut(Wire):
    """One move of a request."""

    state: str
    person: str
    at: datetime
    words: str


class AccessRequestOut(Wire):
    """A request, with the steps that it took. States: draft, sent, returned, review, approved, rejected, closed."""

    id: str
    dataset: str
    project: str
    organisation: str
    person: str
    person_name: str
    purpose: str
    right: str
    reason: str
    asked_at: datetime
    state: str
    answers: dict[str, str] = Field(default={})
    steps: list[StepOut] = Field(default=[])


class OpenedOut(Wire):
    """One opening of the data: a grant, without its key. `number`: the version's; 0 when the version is gone."""

    grant: str
    version: str
    number: int
    right: str
    person: str
    person_name: str
    job: str
    project: str
    opened_at: datetime
    ended_at: datetime | None = None
