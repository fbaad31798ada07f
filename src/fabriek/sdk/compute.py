"""Jobs, power and the simulator, for the client."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fabriek.kernel.clock import Clock, SystemClock
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.kernel.invalid import checked, field_of, nearest, refused
from fabriek.schemas.base import PageOut
from fabriek.schemas.cluster import SyncedOut
from fabriek.schemas.compute import (
    DoorOut,
    JobIn,
    JobOut,
    MachineOut,
    PlanOut,
    PowerLimitIn,
    PowerLimitOut,
    PowerOut,
    ReceiptOut,
    SimulatedOut,
    SimulateIn,
    WhyOut,
    WorkspaceOut,
)
from fabriek.schemas.forecasts import ForecastIn, ForecastOut, ForecastScoreOut
from fabriek.schemas.powering import GridMessageIn, GridMessageOut, PowerReadingIn, PowerReadingOut, QuarterOut, WorkOut
from fabriek.sdk.client import Client
from fabriek.sdk.vault import Vault

ENDED = frozenset({"succeeded", "failed", "cancelled", "lost"})
REQUIREMENTS_FILE = "requirements.txt"


class Compute:
    """Submit, watch, cancel; fetch what a job made."""

    def __init__(self, client: Client, clock: Clock | None = None) -> None:
        self._client = client
        self._clock = clock or SystemClock()

    def run(
        self,
        command: Sequence[str],
        *,
        data: Mapping[str, str] | None = None,
        code: str | Path | None = None,
        requirements: str | Path | None = None,
        packages: str = "",
        project: str = "",
        **asked: Any,
    ) -> JobOut:
        """Packs the code folder, seals it, uploads what is missing, and submits. `data` maps dataset → mount point.

        `packages` are the requirements as text. Without those, `requirements` or an image, a requirements.txt beside the code is taken. Other
        names are those of JobIn.
        Raises CreditsExhausted, NotPermitted or InvalidInput, each naming the rule and the fix.
        """
        wanted = self.asked(
            command, data=data, code=code, requirements=requirements, packages=packages, project=project, **asked
        )
        return self.submit(wanted, project=project)

    def asked(
        self,
        command: Sequence[str],
        *,
        data: Mapping[str, str] | None = None,
        code: str | Path | None = None,
        requirements: str | Path | None = None,
        packages: str = "",
        project: str = "",
        **asked: Any,
    ) -> JobIn:
        """What `run` submits, its code in the vault already."""
        version = ""
        if code is not None:
            folder = Path(code)
            if not folder.is_dir():
                raise InvalidInput(f"{folder} is not a folder", fix="name the folder that holds the script with --code")
            version = Vault(self._client).push_code(folder, project=project)
        return _checked(
            command=list(command),
            code=version,
            inputs=[{"dataset": name, "mount": mount} for name, mount in (data or {}).items()],
            requirements=packages or _requirements(requirements, None if asked.get("image") else code),
            **asked,
        )

    def run_file(self, path: str | Path, *, project: str = "") -> JobOut:
        """Submits what a `job.yaml` says, the code of its folder with it. Raises InvalidInput naming the field that is not right."""
        from fabriek.sdk import jobfile  # noqa: PLC0415  # only who has a job file pays for reading YAML

        wanted = jobfile.job_file(jobfile.read(path))
        code = None if wanted.code == "none" else Path(path).parent / wanted.code
        asked = jobfile.asked_of(wanted)
        if asked["requirements"]:
            asked["requirements"] = Path(path).parent / asked["requirements"]
        return self.run(jobfile.words_of(wanted), code=code, project=project, **asked)

    def plan(
        self, command: Sequence[str], *, data: Mapping[str, str] | None = None, requirements: str | Path | None = None, project: str = "",
        **asked: Any,
    ) -> PlanOut:  # fmt: skip
        """What would become of the job that `run` would submit; nothing is sent along and nothing stays. Raises what would stop it."""
        inputs = [{"dataset": name, "mount": mount} for name, mount in (data or {}).items()]
        wanted = _checked(command=list(command), inputs=inputs, requirements=_requirements(requirements, None), **asked)
        path = f"/api/v1/projects/{self._client.the_project(project)}/plans"
        return PlanOut.model_validate(self._client.post(path, json=wanted.model_dump(mode="json")))

    def forecast(self, *, project: str = "", **asked: Any) -> ForecastOut:
        """When a job would probably start that was submitted now, and what would start sooner. Names are those of ForecastIn."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/forecast"
        return ForecastOut.model_validate(
            self._client.post(path, json=_checked_forecast(asked).model_dump(mode="json"))
        )

    def forecast_score(self) -> ForecastScoreOut:
        """How often the intervals of this installation held so far."""
        return ForecastScoreOut.model_validate(self._client.get("/api/v1/forecasts/score"))

    def submit(self, wanted: JobIn, *, project: str = "") -> JobOut:
        path = f"/api/v1/projects/{self._client.the_project(project)}/jobs"
        return JobOut.model_validate(self._client.post(path, json=wanted.model_dump(mode="json")))

    def list(
        self, *, project: str = "", cursor: str = "", array: str = "", named: Sequence[str] = (), active: bool = False
    ) -> PageOut[JobOut]:  # fmt: skip
        """Newest first; of an array all elements, by their index; of those `named` each that is there."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/jobs"
        asked = {"cursor": cursor, "array": array, "named": ",".join(named), "active": "true" if active else "false"}
        return PageOut[JobOut].model_validate(self._client.get(path, params=asked))

    def signal(self, job: str, name: str, *, project: str = "") -> JobOut:
        """`USR1`, or `steps:USR1` for all that its command started and not for the command itself."""
        return JobOut.model_validate(self._client.post(f"{self._path(job, project)}/signal", json={"signal": name}))

    def requeue(self, job: str, *, project: str = "") -> JobOut:
        """Stops it and puts it back into the queue, as often as it was submitted to be."""
        return JobOut.model_validate(self._client.post(f"{self._path(job, project)}/requeue"))

    def door(self, job: str, *, project: str = "") -> DoorOut:
        """The way into a session that the caller started: an address that opens once, within a minute."""
        return DoorOut.model_validate(self._client.post(f"{self._path(job, project)}/door"))

    def extend(self, job: str, seconds: int, *, project: str = "") -> JobOut:
        """More time for a job that runs, if its credits cover it and nobody waits for the room."""
        return JobOut.model_validate(self._client.post(f"{self._path(job, project)}/extend", json={"seconds": seconds}))

    def workspace(self, *, project: str = "") -> WorkspaceOut:
        """The folder that the project's jobs and people share."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/workspace"
        return WorkspaceOut.model_validate(self._client.get(path))

    def machine(self) -> MachineOut:
        return MachineOut.model_validate(self._client.get("/api/v1/machine"))

    def show(self, job: str, *, project: str = "") -> JobOut:
        return JobOut.model_validate(self._client.get(self._path(job, project)))

    def receipt(self, job: str, *, project: str = "") -> ReceiptOut:
        """What was held for it, charged and given back, which share paid, and what energy it took."""
        return ReceiptOut.model_validate(self._client.get(f"{self._path(job, project)}/receipt"))

    def why(self, job: str, *, project: str = "") -> WhyOut:
        return WhyOut.model_validate(self._client.get(f"{self._path(job, project)}/why"))

    def cancel(self, job: str, *, project: str = "") -> JobOut:
        return JobOut.model_validate(self._client.post(f"{self._path(job, project)}/cancel"))

    def cancel_array(self, array: str, *, project: str = "") -> PageOut[JobOut]:
        path = f"/api/v1/projects/{self._client.the_project(project)}/arrays/{array}/cancel"
        return PageOut[JobOut].model_validate(self._client.post(path))

    def log(self, job: str, *, project: str = "", follow: bool = False, offset: int = 0) -> Iterator[bytes]:
        """The job's output from a byte offset on; with `follow` until the job has ended. Bytes as the job wrote them."""
        params = {"offset": offset, "follow": "true" if follow else "false"}
        with self._client.stream(f"{self._path(job, project)}/log", params=params) as response:
            yield from response.iter_bytes()

    def wait(self, job: str, *, project: str = "", seconds_max: float | None = None) -> JobOut:
        """Returns once the job has ended, or, with `seconds_max`, as it stands then."""
        pause, give_up = 0.05, None if seconds_max is None else self._clock.monotonic() + seconds_max
        while True:
            shown = self.show(job, project=project)
            if shown.state in ENDED or (give_up is not None and self._clock.monotonic() >= give_up):
                return shown
            self._clock.sleep(pause)
            pause = min(pause * 1.5, 1.0)

    def pull(self, job: str, into: str | Path, *, project: str = "") -> Path:
        """Fetches what the job left in /output into a folder. Raises NotFound when it left nothing."""
        shown = self.show(job, project=project)
        if not shown.output:
            raise NotFound(f"job {job} left nothing in /output", fix=f"fabriek job show {job}")
        return Vault(self._client).pull(shown.output, into, project=project)

    def sync_accounts(self, *, dry_run: bool = False) -> SyncedOut:
        """Brings the cluster's accounts in step with projects and their members. For operators. Raises WrongState where no cluster runs jobs."""
        wanted = {"dry_run": dry_run}
        return SyncedOut.model_validate(self._client.post("/api/v1/cluster/accounts/sync", json=wanted))

    def power(self) -> PowerOut:
        return PowerOut.model_validate(self._client.get("/api/v1/power"))

    def power_kinds(self) -> Sequence[WorkOut]:
        """The kinds of work that a job may say with `work`, and what each draws."""
        return [WorkOut.model_validate(one) for one in self._client.get("/api/v1/power/kinds")]

    def limit_power(
        self, *, starts_at: datetime, ends_at: datetime, watts: int, source: str = "operator"
    ) -> PowerLimitOut:
        with checked("say who announced it, and kilowatts from 0 on: --kw 400"):
            wanted = PowerLimitIn(starts_at=starts_at, ends_at=ends_at, watts=watts, source=source)
        return PowerLimitOut.model_validate(
            self._client.post("/api/v1/power/limits", json=wanted.model_dump(mode="json"))
        )

    def end_power_limit(self, limit: str) -> PowerLimitOut:
        return PowerLimitOut.model_validate(self._client.post(f"/api/v1/power/limits/{limit}/end"))

    def power_messages(self, *, limit: int = 100) -> Sequence[GridMessageOut]:
        """What grid operators sent, newest first."""
        found = self._client.get("/api/v1/power/messages", params={"limit": limit})
        return [GridMessageOut.model_validate(one) for one in found]

    def take_power_message(self, message: GridMessageIn) -> GridMessageOut:
        """As a grid operator's program would send it."""
        body = message.model_dump(mode="json", by_alias=True)
        return GridMessageOut.model_validate(self._client.post("/api/v1/power/messages", json=body))

    def read_power_meter(self, reading: PowerReadingIn) -> PowerReadingOut:
        body = reading.model_dump(mode="json")
        return PowerReadingOut.model_validate(self._client.post("/api/v1/power/readings", json=body))

    def power_record(self, begins_at: datetime, ends_at: datetime) -> Sequence[QuarterOut]:
        """Each quarter of an hour, oldest first."""
        asked = {"from": begins_at.isoformat(), "to": ends_at.isoformat()}
        return [QuarterOut.model_validate(one) for one in self._client.get("/api/v1/power/record", params=asked)]

    def simulate(self, *, scale: Mapping[str, float] | None = None) -> SimulatedOut:
        with checked("give a factor from 0 on: --share defence=2"):
            wanted = SimulateIn(scale=dict(scale or {}))
        return SimulatedOut.model_validate(
            self._client.post("/api/v1/simulations", json=wanted.model_dump(mode="json"))
        )

    def _path(self, job: str, project: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/jobs/{job}"


_OPTIONS = {"wall_seconds_max": "--time", "memory_bytes": "--memory", "cpus": "--cpus", "nodes": "--nodes", "grace_seconds": "--grace",
            "requeues_max": "--requeue", "tasks": "--tasks", "port": "--port"}  # fmt: skip
"""What people ask for each with on the command line; `job.yaml` has the same words."""


def _checked(**asked: Any) -> JobIn:
    """Raises InvalidInput naming the field that is not right, before anything is sent."""
    try:
        return JobIn.model_validate(asked)
    except ValidationError as error:
        option = _OPTIONS.get(field_of(error.errors(include_input=False)[0]))
        limit = nearest(error)
        raise refused(
            error, fix=f"ask for {option} {limit}" if option and limit else "see docs/howto/jobs.md"
        ) from None


def _checked_forecast(asked: Mapping[str, Any]) -> ForecastIn:
    """Raises InvalidInput naming the field that is not right, before anything is sent."""
    try:
        return ForecastIn.model_validate(asked)
    except ValidationError as error:
        raise refused(error, fix="see docs/howto/forecast.md") from None


def _requirements(named: str | Path | None, code: str | Path | None) -> str:
    if named is not None:
        try:
            return Path(named).read_text("utf-8")
        except OSError as error:
            raise InvalidInput(f"{named} cannot be read ({error.strerror})", fix="check --requirements") from None
    beside = Path(code) / REQUIREMENTS_FILE if code is not None else None
    return beside.read_text("utf-8") if beside is not None and beside.is_file() else ""
