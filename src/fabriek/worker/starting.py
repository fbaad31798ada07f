"""Starting what was let in: its environment built, its run opened, its grants and tokens made, then handed to the executor.

Slow steps run in threads of their own, outside any transaction; each is idempotent by job and attempt, so that a server that is
killed here is followed by one that finishes the start, or finds the job running.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from fabriek.compute.executors.contract import InputSpec, JobSpec, OutputSpec
from fabriek.compute.executors.environments import Environment, Environments
from fabriek.compute.jobs import Job, State
from fabriek.compute.slurm_words import slurm_variables, sweep_variables
from fabriek.compute.terms import Network
from fabriek.compute.walls import workspace
from fabriek.kernel.errors import FabriekError, Unavailable
from fabriek.schemas.node import SecretSpec
from fabriek.web.services import Services

log = logging.getLogger("fabriek.worker")

CHECKPOINT = "/checkpoint"
"""Where an attempt finds what the one before it left in /output."""

STARTS_AT_ONCE = 4
RETRY_SECONDS = 5.0
PATIENCE_SECONDS = 1_800.0
"""How long a job that was let in waits for an executor that is away: a controller that is upgraded takes minutes."""

TOKEN_MARGIN = timedelta(hours=2)
"""Tokens outlive the longest run by this much: sealing a large output comes after the last second of the job."""


class Starter:
    """Starts admitted jobs. `server_url` is where nodes reach the API, `lab_socket_dir` the folder of the jobs' socket."""

    def __init__(
        self,
        services: Services,
        environments: Environments,
        wake: Callable[[], None],
        *,
        server_url: str,
        lab_socket_dir: str,
    ) -> None:
        self._services, self._environments, self._wake = services, environments, wake
        self._server_url, self._lab_socket_dir = server_url, lab_socket_dir
        self._pool = ThreadPoolExecutor(STARTS_AT_ONCE, thread_name_prefix="fabriek-start")
        self._going: set[str] = set()
        self._handed: dict[str, int] = {}
        self._waiting: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self._lock = threading.Lock()

    def start_jobs(self) -> bool:
        """Begins every job that was let in; whether any job is between its start and its end."""
        for job in self._services.progress.to_begin():
            with self._lock:
                if self._not_before.get(job.id, 0.0) > self._services.clock.monotonic():
                    continue
                handed = job.state is State.STARTING and self._handed.get(job.id) == job.attempts
                if job.id in self._going or handed:
                    continue
                self._going.add(job.id)
            self._pool.submit(self._start, job)
        return bool(self._going) or bool(self._services.progress.started())

    def close(self) -> None:
        """Waits for starts that are going on; the next server takes up what was not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, job: Job) -> None:
        job_id, failed = job.id, True
        try:
            spec = self._begun(job)
            if spec is not None:
                self._services.executor.submit(spec)
                self._handed[spec.job] = spec.attempt
                self._waiting.pop(spec.job, None)
            failed = False
        except Unavailable as error:
            self._try_again(job_id, error)
        except FabriekError as error:
            self._fail(job_id, error.detail)
        except Exception:
            log.exception("job %s could not be started", job_id)
            self._fail(job_id, "a fault of Fabriek kept it from starting; it is in the server's log")
        finally:
            with self._lock:
                self._going.discard(job_id)
            if failed:  # else there is nothing to see before its supervisor has said something
                self._wake()

    def _try_again(self, job_id: str, error: Unavailable) -> None:
        """What is away comes back: a job waits for its executor, and fails only when patience is over."""
        clock = self._services.clock
        first = self._waiting.setdefault(job_id, clock.monotonic())
        if clock.monotonic() - first >= PATIENCE_SECONDS:
            del self._waiting[job_id]
            self._fail(job_id, error.detail)
        else:
            self._not_before[job_id] = clock.monotonic() + RETRY_SECONDS
            log.warning("job %s waits for its executor: %s", job_id, error.detail)

    def _begun(self, let_in: Job) -> JobSpec | None:
        """The job begun, and all that it needs; None if it was cancelled. One transaction, so that it waits for the disk once, unless
        its environment must be built, which takes a while.
        """
        services, base = self._services, self._environments.base()
        bare = services.compute.runs_without_walls(let_in)
        with services.database.transaction(alone=f"job:{let_in.id}"):
            job = services.progress.begin(let_in.id)
            if job is None:
                return None
            if not job.requirements.strip():
                return self._spec(job, base, bare=bare)
        environment = self._environments.build(job.requirements.encode())
        with services.database.transaction(alone=f"job:{let_in.id}"):
            return self._spec(job, environment, bare=bare)

    def _fail(self, job_id: str, reason: str) -> None:
        """What went wrong has taken back the beginning too: it begins once more, to fail with its reason."""
        with self._services.database.transaction(alone=f"job:{job_id}"):
            if self._services.progress.begin(job_id) is not None:
                self._services.progress.fail(job_id, reason)

    def _spec(self, job: Job, environment: Environment, *, bare: bool) -> JobSpec:
        services, settings = self._services, self._services.settings
        run = job.run or services.lab.open_run(
            job.project, job.experiment or "Default", job=job.id, label=job.label, person=job.person, name=job.name,
            parameters=job.terms.parameters,
        )  # fmt: skip
        terms = {"project": job.project, "purpose": job.purpose}
        grants = [services.vault.grant_to_job(one.version_id, job.id, **terms) for one in job.inputs]
        code = services.vault.grant_to_job(job.code, job.id, **terms) if job.code else None
        inputs = [
            InputSpec(one.dataset_name, one.version, grant.id, one.mount)
            for one, grant in zip(job.inputs, grants, strict=True)
        ]
        if job.output:  # of the attempt before: where it was when it asked to run again
            left = services.vault.grant_to_job(job.output, job.id, **terms)
            inputs.append(InputSpec("checkpoint", 0, left.id, CHECKPOINT))
        upload = services.vault.output_for_job(job.project, job.id, job.label)
        ends = services.clock.now() + timedelta(seconds=job.wall_seconds_max) + TOKEN_MARGIN
        node_token = services.identity.issue_job_token(job.id, job.project, "node", ends)
        lab_token = services.identity.issue_job_token(job.id, job.project, "lab", ends)
        services.progress.note(job.id, run=run, environment_hash=environment.hash)
        variables = (
            dict(job.environment)
            | sweep_variables(job)
            | {
                "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000",
                "MLFLOW_TRACKING_TOKEN": lab_token,
                "MLFLOW_RUN_ID": run,
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # an address that only the job reaches
            }
        )
        grace = settings.job_grace_seconds if job.terms.grace_seconds is None else job.terms.grace_seconds
        shared = (
            str(workspace(str(settings.workspaces), services.access.project(job.project).slug))
            if job.terms.folder
            else ""
        )
        return JobSpec(
            job=job.id, attempt=job.attempts, argv=job.argv, gpus=job.gpus, environment=variables,
            inputs=tuple(inputs),
            code=InputSpec("code", 1, code.id, "/home/job") if code else None,
            python=environment.path, cpus=job.cpus, memory_bytes=job.memory_bytes, processes_max=settings.job_processes_max,
            wall_seconds_max=job.shape.wall_seconds_max, log_bytes_max=settings.job_log_bytes_max, grace_seconds=grace,
            server_url=self._server_url, node_token=node_token, lab_socket_dir=self._lab_socket_dir,
            output=OutputSpec(upload.id), unsandboxed=bare,
            signal=job.terms.signal, signal_seconds=job.terms.signal_seconds, shared=shared, folder_inside=job.terms.folder,
            host_network=job.terms.network is Network.HOST, port=job.terms.port, slurm=slurm_variables(job),
            secrets=tuple(SecretSpec(one.name, one.variable, one.file) for one in job.secrets),
        )  # fmt: skip
