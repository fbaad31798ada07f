"""A process that awards, holds and settles at random, until it is done or killed: `python -m tests.factories.storm HOME SEED AWARDS SETTLEMENTS`."""

import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fabriek.adapters.database import Database, metadata, open_database
from fabriek.funding.resources import Resource
from fabriek.kernel.callers import SYSTEM, Caller
from fabriek.kernel.errors import CreditsExhausted, NotPermitted, WrongState
from fabriek.kernel.purposes import Purpose
from fabriek.kernel.units import MICRO
from tests.factories.services import Town, a_town

GPU = Resource.GPU_HOUR
FIRMS = 8
CLIENTS = 4
BATCH = 40
"""Acts that are at work at once; a line is printed after each batch."""


def prepare(home: Path, address: str) -> None:
    """Two shares, of which one has caps, and firms that apply. address: of an empty database."""
    home.mkdir()
    Path(home, "database").write_text(address)
    town = opened(home)
    town.person("europe", "funder", kind="funder")
    hours = {"gpu_hour": 500, "cpu_hour": 1_000_000, "expert_hour": 1_000}
    town.services.giving.contribute("europe", "eu", 1_000_000, hours, name="europe", by=town.operator)
    town.services.giving.contribute(
        "factory",
        "national",
        1,
        {"gpu_hour": 4_000_000, "cpu_hour": 400_000_000, "expert_hour": 200_000},
        by=town.operator,
    )
    people = [town.person(f"firm{number}").person for number in range(FIRMS)]
    Path(home, "who.json").write_text(json.dumps(people))
    town.services.database.close()


def database_of(home: Path) -> Database:
    return open_database(Path(home, "database").read_text())


def opened(home: Path) -> Town:
    database = database_of(home)
    again = Path(home, "who.json").exists()
    if not again:
        metadata.create_all(database.engine)
    return a_town(database, home, again=again)


class Storm:
    def __init__(self, town: Town, people: list[str], seed: int) -> None:
        self._town, self._seed = town, seed
        self._people = [town.services.identity.caller_for(one) for one in people]
        self.projects = [one.project for one in town.services.funding._allocations.all()]

    def award(self, number: int) -> None:
        rng = random.Random(f"{self._seed} award {number}")  # noqa: S311  # chance, no secret
        # A firm has one of these at a time: most come for the first.
        by: Caller = (
            rng.choice(self._people) if rng.random() < 0.05 else self._newcomer(f"firm-{self._seed}-{number % 10**6}")
        )
        try:
            slug = self._town.project(by, gpu_hours=rng.choice([1, 5, 40, 100]))
        except NotPermitted:
            return
        except (CreditsExhausted, WrongState):
            # Another came before, perhaps of a process that was killed: as the worker does, award what waits, in turn.
            self._town.services.awarding.award_waiting(by=SYSTEM)
            return
        self.projects.append(self._town.services.access.project(slug).id)

    def _newcomer(self, slug: str) -> Caller:
        access = self._town.services.access
        access.create_organisation(slug, "startup", "NL", slug=slug, by=self._town.operator)
        return self._town.caller(access.invite(slug, "Somebody", f"a@{slug}.example", (), by=self._town.operator))

    def settle(self, number: int) -> None:
        rng, funding = random.Random(f"{self._seed} settle {number}"), self._town.services.funding  # noqa: S311
        project, job = rng.choice(self.projects), f"job_{self._seed}_{number}"
        amount = rng.randrange(1, 3 * MICRO)
        try:
            funding.hold(project, Purpose.CIVILIAN, GPU, amount, job)
            if rng.random() < 0.2:
                funding.raise_hold(job, amount + rng.randrange(MICRO))
        except CreditsExhausted:
            pass
        for _ in range(rng.choice([0, 1, 1, 1, 2])):
            funding.settle(job, rng.randrange(2 * amount))


def main() -> None:
    home, seed, awards, settlements = Path(sys.argv[1]), *(int(one) for one in sys.argv[2:])
    town = opened(home)
    storm = Storm(town, json.loads(Path(home, "who.json").read_text()), seed)
    storm.award(-1)
    print("blowing", flush=True)
    acts = [(storm.award, number) for number in range(awards)] + [
        (storm.settle, number) for number in range(settlements)
    ]
    random.Random(seed).shuffle(acts)  # noqa: S311
    with ThreadPoolExecutor(CLIENTS) as clients:
        for start in range(0, len(acts), BATCH):
            list(clients.map(lambda act: act[0](act[1]), acts[start : start + BATCH]))
            print(start, flush=True)
    town.services.database.close()


if __name__ == "__main__":
    main()
