"""A vault with two houses: a hospital that owns data, a start-up that computes, and a university that looks on."""

import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI

from fabriek.adapters.database import Database
from fabriek.api import tus, vault_addresses, vault_objects, vault_versions
from fabriek.api import vault as vault_api
from fabriek.api.vault import grant_out
from fabriek.audit.service import Audit
from fabriek.audit.store import SqlEvents, SqlTrees
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.errors import Damaged, NotAuthenticated, NotFound, nothing_here
from fabriek.kernel.ids import RandomIds
from fabriek.kernel.pages import Cursors
from fabriek.sdk.client import Client
from fabriek.sdk.fetching import fetch
from fabriek.sdk.opened import OpenedVersion
from fabriek.sdk.vault import Vault as VaultClient
from fabriek.sealing.context import object_context
from fabriek.sealing.manifest import File, Part, make_manifest
from fabriek.sealing.objects import seal_bytes
from fabriek.sealing.pages import Page, write_page
from fabriek.vault.agreeing.store import SqlTerms
from fabriek.vault.care.store_checking import SqlDamages, SqlPasses, SqlWalk
from fabriek.vault.care.store_leftovers import SqlLeftovers
from fabriek.vault.desk import Parts
from fabriek.vault.intake.store import SqlArrivals
from fabriek.vault.keeping.epochs import EpochCipher
from fabriek.vault.keeping.ports import KeyStores
from fabriek.vault.keeping.store import SqlErasures, SqlHolds, SqlRotations
from fabriek.vault.keeping.store_keys import SqlEpochKeys
from fabriek.vault.labelling.policy import shipped_labels
from fabriek.vault.labelling.store import SqlProposals
from fabriek.vault.opening import Opened
from fabriek.vault.ports import Blobs
from fabriek.vault.pushing import Committed
from fabriek.vault.service import Vault
from fabriek.vault.store import SqlDatasets, SqlVersions
from fabriek.vault.store_sharing import SqlAgreements, SqlGrants, SqlRequests
from fabriek.vault.store_tags import SqlTags
from fabriek.vault.store_uploads import SqlUploads
from fabriek.vault.uploads import Upload
from fabriek.vault.versions import Version
from fabriek.web import problems
from fabriek.web.envelope import Counts, Envelope
from fabriek.web.router import refuse_undeclared
from fabriek.web.services import Services
from fabriek.web.store import SqlAnswers
from tests.factories.blobs import MemoryBlobs
from tests.factories.keyring import MemoryKeyring
from tests.servers.app import serving

IN_PROJECT = frozenset({"data.view", "data.write", "data.manage", "job.submit", "knowledge.publish"})
EVERYONE = frozenset({"access.request"})


@dataclass(frozen=True, slots=True)
class AProject:
    """As much of a project as the vault asks for."""

    id: str
    slug: str
    purpose: str = "civilian"
    label_ceiling: str = "special-category"
    lead_organisation: str = "org_startup"


@dataclass
class Directory:
    """The twin of access: who is who, and which projects there are. A person's name is their token."""

    callers: dict[str, Caller] = field(default_factory=dict)
    projects: dict[str, AProject] = field(default_factory=dict)

    def caller_of(self, token: str) -> Caller:
        if token not in self.callers:
            raise NotAuthenticated("the token does not hold", fix="fabriek login")
        return self.callers[token]

    def caller_of_session(self, cookie: str) -> Caller:
        return self.caller_of(cookie)

    def caller_for(self, person: str) -> Caller:
        for caller in self.callers.values():
            if caller.person == person:
                return caller
        raise nothing_here()

    def remove_member(self, project: str, person: str, *, by: Caller) -> None:
        for name, caller in self.callers.items():
            if caller.person == person:
                rights = {one: held for one, held in caller.project_rights.items() if one != project}
                self.callers[name] = replace(caller, project_rights=rights)
                return
        raise nothing_here()

    def project(self, name: str) -> AProject:
        for project in self.projects.values():
            if name in {project.id, project.slug}:
                return project
        raise nothing_here()

    def projects_among(self, project_ids: Collection[str]) -> dict[str, AProject]:
        return {one: self.project(one) for one in project_ids}

    def people_among(self, person_ids: Collection[str]) -> dict[str, SimpleNamespace]:
        return {one: SimpleNamespace(name=self.caller_for(one).person) for one in person_ids}

    def add_person(self, name: str, organisation: str, *projects: str) -> Caller:
        rights = dict.fromkeys(projects, IN_PROJECT)
        self.callers[name] = Caller(f"per_{name}", f"org_{organisation}", rights=EVERYONE, project_rights=rights)
        return self.callers[name]

    def add_node(self, job: str, project: str) -> Caller:
        self.callers[job] = Caller("per_node", job=job, project_rights={project: frozenset()})
        return self.callers[job]


@dataclass
class World:
    """`hanna` of the hospital and `stef` of the start-up share the project `lab`; `uma` of the university has one of her own."""

    vault: Vault
    parts: Parts
    directory: Directory
    database: Database
    blobs: MemoryBlobs
    clock: FakeClock
    audit: Audit
    keyring: MemoryKeyring
    keeping: KeyStores
    hanna: Caller
    stef: Caller
    uma: Caller

    def accredited(self) -> Vault:
        return Vault(replace(self.parts, accredited=True), self.keeping)

    def app(self) -> FastAPI:
        """The vault's own routes behind the real guard, envelope and problems."""
        app = FastAPI(openapi_url=None)
        app.state.factory = SimpleNamespace(
            vault=self.vault, access=self.directory, identity=self.directory, audit=self.audit, clock=self.clock, database=self.database,
            answers=SqlAnswers(self.database), cursors=Cursors(b"key"), ids=RandomIds(),
        )  # fmt: skip
        app.router.routes.extend(vault_api.router.routes)
        app.router.routes.extend(vault_objects.router.routes)
        app.router.routes.extend(vault_addresses.router.routes)
        app.router.routes.extend(vault_versions.router.routes)
        app.router.routes.extend(tus.router.routes)
        problems.install(app, lambda request, error: problems.problem_response(error, problems.request_id(request)))
        app.add_middleware(Envelope, clock=self.clock, ids=RandomIds(), counts=Counts())
        refuse_undeclared(app)
        return app

    @contextmanager
    def served(self) -> Iterator["Doors"]:
        with serving(self.app()) as url:
            doors = Doors(url, [])
            try:
                yield doors
            finally:
                for client in doors.open:
                    client.close()


@dataclass
class Doors:
    """Clients of a served world."""

    url: str
    open: list[Client]

    def client(self, token: str, project: str = "lab") -> Client:
        client = Client(self.url, token, project)
        self.open.append(client)
        return client

    def vault(self, token: str, project: str = "lab") -> VaultClient:
        return VaultClient(self.client(token, project))


def a_world(database: Database, *, blobs: Blobs | None = None, ids: Any = None, **changed: Any) -> World:
    """Two projects, three people, an empty vault. Ids are random unless counted ones are asked for."""
    clock, made, keyring = FakeClock(), ids or RandomIds(), MemoryKeyring(open_transaction=database.in_transaction)
    directory = Directory()
    for project in (AProject("prj_1", "lab"), AProject("prj_2", "campus", lead_organisation="org_university")):
        directory.projects[project.id] = project
    store = blobs or MemoryBlobs()
    audit = Audit(SqlEvents(database), SqlTrees(database), clock, RandomIds(), signer=keyring, cursors=Cursors(b"key"))
    parts = Parts(
        datasets=SqlDatasets(database), versions=SqlVersions(database), tags=SqlTags(database), uploads=SqlUploads(database),
        arrivals=SqlArrivals(database),
        grants=SqlGrants(database), agreements=SqlAgreements(database), requests=SqlRequests(database), terms=SqlTerms(database),
        proposals=SqlProposals(database), leftovers=SqlLeftovers(database), damages=SqlDamages(database), walk=SqlWalk(database),
        passes=SqlPasses(database), epoch_keys=SqlEpochKeys(database), blobs=store,
        cipher=EpochCipher(keyring, clock, made), signer=keyring, projects=directory, people=directory, audit=audit, labels=shipped_labels(),
        clock=clock, ids=made,
    )  # fmt: skip
    parts = replace(parts, **changed)
    keeping = KeyStores(
        SqlHolds(database), SqlErasures(database), SqlRotations(database), expiring=SqlDatasets(database), masters=keyring,
        under_master=(SqlEpochKeys(database),),
    )  # fmt: skip
    return World(
        Vault(parts, keeping), parts, directory, database, store, clock, audit, keyring, keeping,  # type: ignore[arg-type]  # tests that play the vandal use the twin
        hanna=directory.add_person("hanna", "hospital", "prj_1"), stef=directory.add_person("stef", "startup", "prj_1"),
        uma=directory.add_person("uma", "university", "prj_2"),
    )  # fmt: skip


def a_push(
    world: World, name: str, files: dict[str, bytes], *, label: str = "", by: Caller | None = None, project: str = "lab"
) -> Version:
    """The files as the next version of a dataset, sealed as a client would: one object a file."""
    who = by or world.hanna
    try:
        world.vault.find(name, project=project, by=who)
    except NotFound:
        world.vault.create(project, name, label=label, by=who)
    return fill(world, world.vault.open_upload(project, name, label=label, by=who), files, by=who)


def fill(world: "World | Services", upload: Upload, files: dict[str, bytes], *, by: Caller) -> Version:
    """Sends the files to an upload and commits it."""
    _, dataset = world.vault.upload(upload.id, by=by)
    names = world.vault.mint(upload.id, len(files) + 1, by=by)
    entries = []
    for object_id, (path, body) in zip(names, files.items(), strict=False):
        key = os.urandom(32)
        context = object_context(dataset.organisation, dataset.id, object_id)
        world.vault.put_object(upload.id, object_id, [seal_bytes(body, key, context, os.urandom(24))], by=by)
        part = Part(object_id, key, 0, len(body))
        entries.append(File(path, 0o644, len(body), hashlib.sha256(body).hexdigest(), (part,)))
    manifest, key = make_manifest(entries), os.urandom(32)
    page = Page(0, files=manifest.files)
    context = object_context(dataset.organisation, dataset.id, names[-1])
    world.vault.put_object(upload.id, names[-1], [seal_bytes(write_page(page), key, context, os.urandom(24))], by=by)
    objects = manifest.objects()
    said = Committed(names[-1], key, page.count, page.size_bytes, page.sha256(), len(objects), objects)
    return world.vault.commit(upload.id, said, by=by)


class InPlace:
    """In the place of a server: what it answers to the holder of a grant, without the wire."""

    def __init__(self, world: World, by: Caller) -> None:
        self._world, self._by = world, by

    def get_bytes(self, path: str) -> bytes:
        return self.fetch_range(path, 0, 2**62)[0]

    def fetch_range(self, path: str, offset: int, count: int) -> tuple[bytes, int]:
        grant, _, object_id = path.removeprefix("/api/v1/grants/").partition("/objects/")
        size = self._world.vault.granted_object(grant, object_id, by=self._by)
        return b"".join(self._world.vault.read_object(object_id, offset, min(offset + count, size))), size

    def fetch_sealed(self, path: str, *, piece_bytes: int) -> Iterator[bytes]:
        body = self.get_bytes(path)
        return (body[at : at + piece_bytes] for at in range(0, len(body), piece_bytes))


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self, file: File) -> None:
        self.body = bytearray(file.size)

    def write(self, offset: int, piece: bytes | memoryview) -> None:
        self.body[offset : offset + len(piece)] = piece

    def close(self) -> None:
        """Kept."""


def a_reader(world: World, opened: Opened, *, by: Caller) -> OpenedVersion:
    """The product's own, over a grant. Raises Damaged as a client would."""
    return OpenedVersion(InPlace(world, by), grant_out(opened))  # type: ignore[arg-type]  # a twin


def a_grant_read(world: World, opened: Opened, path: str, *, by: Caller) -> bytes:
    """One file of an opened version, read through its grant as a client would. Raises Damaged."""
    reader = a_reader(world, opened, by=by)
    kept: list[Kept] = []

    def sink(file: File) -> Kept:
        kept.append(Kept(file))
        return kept[-1]

    for done in fetch(reader, [reader.file(path)], sink):
        if done.damage:
            raise Damaged(done.damage)
    return bytes(kept[-1].body)
