"""All services of an installation on a test's own database, with a clock that is wound by hand and an executor in memory."""

from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

from fabriek.access.people import Person
from fabriek.access.roles import PROJECT, rights_of
from fabriek.adapters.database import Database
from fabriek.bootstrap import building
from fabriek.bootstrap.machinery import rates_for
from fabriek.compute.capacity import Capacity
from fabriek.compute.hosts import listed
from fabriek.compute.images import listed_images
from fabriek.compute.machine import GangNetwork, Machine
from fabriek.compute.partitions import Partition
from fabriek.compute.power import Contract, tables_of
from fabriek.compute.powering.work import works_of
from fabriek.funding.policy.policy import Policy
from fabriek.funding.store import allocations
from fabriek.kernel.callers import Caller
from fabriek.kernel.clock import FakeClock
from fabriek.kernel.dated import shipped
from fabriek.kernel.ids import RandomIds
from fabriek.kernel.signing import MasterKeys
from fabriek.schemas.node import Capabilities
from fabriek.settings import Settings
from fabriek.web.services import Services
from tests.factories.executor import MemoryExecutor
from tests.factories.keyring import MemoryKeyring

WALLED = Capabilities("bwrap", "1", sandbox=True, limits="none", images=True)
WALL_LESS = Capabilities(
    "bwrap", "1", sandbox=False, limits="", reason="no user namespace is allowed", fix="sudo sysctl"
)
SMALL = Capacity(4, 0, 2**33)
ALL_ROLES = ("administrator", "operator")


@dataclass(frozen=True)
class Town:
    """An installation with an operator, a funder's share, and whoever a test asks for."""

    services: Services
    clock: FakeClock
    operator: Caller

    def person(self, organisation: str, *roles: str, kind: str = "startup", country: str = "NL") -> Caller:
        """A new person; the organisation is made at its first."""
        access = self.services.access
        names = {one.slug for one in access.organisations(by=self.operator)}
        if organisation not in names:
            access.create_organisation(organisation.title(), kind, country, slug=organisation, by=self.operator)
        email = f"{self.services.ids.new('mail')}@{organisation}.example"
        return self.caller(access.invite(organisation, "Somebody", email, roles, by=self.operator))

    def caller(self, person: Person) -> Caller:
        """The person as the web would see them now."""
        token = self.services.identity.issue_token(person.id, by=Caller(person.id))
        return self.services.identity.caller_of(token)

    def again(self, caller: Caller) -> Caller:
        """The same person, with the rights of now."""
        return self.caller(self.services.access.person(caller.person))

    def project(
        self, by: Caller, *, gpu_hours: int = 10, purpose: str = "civilian", partners: tuple[str, ...] = ()
    ) -> str:
        """A project that this person applied for; its slug."""
        answers = {
            "title": f"Project {self.services.ids.new('x')[-8:]}", "summary": "For a test.", "purpose": purpose, "gpu_hours": gpu_hours,
            "months": "1", "data": "None.", "partners": list(partners),
        }  # fmt: skip
        filed = self.services.intake.file("playground", answers, by=by)
        checked = self.services.intake.submit(filed.id, by=by)
        return self.services.awarding.award_short_route(checked, by=by)[1].slug

    def make_urgent(self, project: str) -> None:
        """As if its awards were out of the director's part."""
        known = self.services.access.project(project).id
        with self.services.database.transaction():
            self.services.database.execute(
                allocations.update().where(allocations.c.project == known).values(director=True)
            )


def restarted(town: Town) -> Town:
    """The same installation after a restart: the files that its settings name are read anew. Its vault's keys are not the same."""
    services, clock = town.services, town.clock
    keys = MemoryKeyring(open_transaction=services.database.in_transaction)
    again = building.build(
        services.settings, services.database, wake=lambda: None, clock=clock, ids=RandomIds(), executor=MemoryExecutor(clock), keys=keys
    )  # fmt: skip
    return replace(town, services=again)


def a_town(
    database: Database, home: Path, *, able: Capabilities = WALLED, unsandboxed: bool = False, capacity: Capacity = SMALL,
    gangs: GangNetwork = GangNetwork.OWN, doors: bool = True, hosts: str = "", images: str = "", keys: MasterKeys | None = None,
    file_keys: bool = False, passphrase: str | None = None, contract: Contract | None = None, policy: Policy | None = None,
    again: bool = False, partitions: tuple[Partition, ...] = (), executor: type[MemoryExecutor] = MemoryExecutor,
    **settings: Any,
) -> Town:  # fmt: skip
    """again: what was made here before is there still; only its services are made anew."""
    clock = FakeClock()
    machine = Machine(
        capacity, tables_of(shipped("fabriek.compute", "power.toml")), rates_for(Settings(**settings)),
        "workstation", contract, UTC, able=lambda: able, unsandboxed=unsandboxed, gangs=gangs, doors=doors, hosts=listed(hosts),
        images=listed_images(images), partitions=partitions, works=works_of(shipped("fabriek.compute", "power.toml")),
    )  # fmt: skip
    home.mkdir(exist_ok=True, mode=0o700)
    services = building.build(
        Settings(home=home, job_network_hosts=hosts, job_images=images, **settings),
        database,
        wake=lambda: None,
        clock=clock,
        ids=RandomIds(),
        executor=executor(clock),
        machine=machine,
        keys=None if file_keys else keys or MemoryKeyring(open_transaction=database.in_transaction),
        passphrase=passphrase,
        policy=policy,
    )
    if again:
        return Town(services, clock, services.identity.caller_for(Path(home, "operator").read_text()))
    body = services.access.new_organisation("The Factory", "operator", "NL", slug="factory")
    person, token = services.first_sign_in.person(body, "Olga", "olga@factory.example", ALL_ROLES)
    operator = services.identity.caller_of(token)
    assert operator.person == person.id
    Path(home, "operator").write_text(person.id)
    hours = {"gpu_hour": 1_000, "cpu_hour": 100_000_000, "expert_hour": 1_000}
    services.giving.contribute("factory", "national", 1_000_000, hours, name="nation", by=operator)
    return Town(services, clock, operator)


def rights_in(role: str) -> frozenset[str]:
    return PROJECT[role] | rights_of(frozenset())


def with_project(town: Town, organisation: str) -> tuple[Caller, str]:
    """Somebody of that organisation, and the slug of a project that they lead."""
    person = town.person(organisation)
    project = town.project(person)
    return town.again(person), project
