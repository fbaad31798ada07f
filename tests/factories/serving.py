"""A project with a registered model that is served: by a job of the executor in memory, or by a real server at the job's door."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fabriek.compute.jobs import Job, State
from fabriek.compute.requests import JobAsked
from fabriek.compute.serving.served import Served
from fabriek.compute.serving.service import ServeAsked
from tests.contract.test_worker import Shop, a_worker
from tests.factories.executor import MemoryExecutor
from tests.factories.services import Town, a_town
from tests.servers.openai import at_door

FILES = {"model.gguf": b"weights", "config.json": b"{}"}


@dataclass
class Counter:
    """A shop that serves models."""

    shop: Shop

    @property
    def town(self) -> Town:
        return self.shop.town

    def register(self, name: str, files: dict[str, bytes], alias: str = "champion", run: str = "") -> int:
        """A version of these files, which the alias names from now on; its number."""
        services, by = self.town.services, self.shop.person
        project = services.access.project(self.shop.project).id
        run = run or services.lab.create_run(project, "0", name="", person="", started_ms=0, tags={}, by=by).run.id
        made = services.registry.log_model(project, "0", run, name="m", model_type="", tags={}, params={}, by=by)
        for path, content in files.items():
            services.keeping.put(project, f"0/models/{made.id}/artifacts/{path}", [content], by=by)
        if name not in {one.name for one in services.registry.all_registered(project, by=by)}:
            services.registry.register(project, name, by=by)
        version = services.registry.add_version(
            project, name, source="", run_id=run, model_id=made.id, description="", tags={}, by=by
        )
        services.registry.set_alias(project, name, alias, version.number, by=by)
        return version.number

    def serve(self, model: str = "smol@champion", name: str = "", **asked: str) -> Served:
        services = self.town.services
        wanted = ServeAsked(model, name, **asked)  # type: ignore[arg-type]  # kind alone
        return services.serving.serve(self.shop.project, wanted, JobAsked(("serve",)), by=self.shop.person)

    def running(self, served: Served) -> Job:
        job = self.town.services.compute.get(self.shop.project, served.job, by=self.shop.person)
        return self.shop.work(job, State.RUNNING)

    def key(self, name: str = "smol", budget: str = "1000 requests", days: int = 30) -> tuple[str, str]:
        """(id, secret)."""
        made, secret = self.town.services.serving.create_key(
            self.shop.project, name, budget=budget, days=days, by=self.shop.person
        )
        return made.id, secret

    @contextmanager
    def answering(self, served: Served) -> Iterator[Path]:
        """With a real server at the door of the job that runs; the socket."""
        job = self.running(served)
        door = self.shop.executor.doors / job.id
        door.mkdir(parents=True, exist_ok=True)
        with at_door(door / "port.sock"):
            yield door / "port.sock"


@contextmanager
def a_counter(database: object, home: Path, **settings: object) -> Iterator[Counter]:
    town = a_town(database, home, **settings)  # type: ignore[arg-type]
    person = town.person("weefsel")
    project = town.project(person)
    executor = town.services.executor
    assert isinstance(executor, MemoryExecutor)
    executor.doors = home / "d"
    shop = Shop(town, town.again(person), project, a_worker(town), executor)
    try:
        yield Counter(shop)
    finally:
        shop.worker._starter.close()
        shop.worker._upkeep.close()
