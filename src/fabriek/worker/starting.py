"""Starting what was let in: its environment built, its run opened, its grants and tokens made, then handed to the executor.

Slow steps run in threads of their own, outside any transaction; each is idempotent by job and attempt, so that a server that is
killed here is followed by one that finishes the start, or finds the job running. Where the executor takes many at once, elements of an
array go together.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

from fabriek.compute.executors.contract import InputSpec, JobSpec, OutputSpec, SubmitsMany
from fabriek.compute.executors.environments import Environment, Environments
from fabriek.compute.gpus import MILLI
from fabriek.compute.hosts import listed
from fabriek.compute.images import NOT_MOUNTED, image_of, listed_images, path_of
from fabriek.compute.jobs import Job, JobInput, State
from fabriek.compute.slurm_words import slurm_variables, sweep_variables
from fabriek.compute.terms import Network
from fabriek.compute.walls import check_hosts, workspace
from fabriek.kernel.errors import FabriekError, InvalidInput, Unavailable
from fabriek.schemas.node import ImageSpec, SecretSpec
from fabriek.vault.grants import Grant
from fabriek.web.services import Services
from fabriek.worker.base_models import hub_variables
from fabriek.worker.handing import handed_together
from fabriek.worker.installing import environment_of, pip_variables

log = logging.getLogger("fabriek.worker")

CHECKPOINT = "/checkpoint"
"""Where an attempt finds what the one before it left in /output."""

STARTS_AT_ONCE = 4
RETRY_SECONDS = 5.0
PATIENCE_SECONDS = 1_800.0
"""How long a job that was let in waits for an executor that is away: a controller that is upgraded takes minutes."""

BY_OUR_FAULT = "a fault of Fabriek kept it from starting; it is in the server's log"

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
        self._hosts = listed(services.settings.job_network_hosts)
        self._images = listed_images(services.settings.job_images)
        self._pool = ThreadPoolExecutor(STARTS_AT_ONCE, thread_name_prefix="fabriek-start")
        self._going: set[str] = set()
        self._handed: dict[str, int] = {}
        self._waiting: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self._lock = threading.Lock()

    def start_jobs(self) -> bool:
        """Begins every job that was let in; whether any job is between its start and its end. None while the vault is sealed."""
        if self._services.seal.is_sealed():
            return bool(self._services.progress.started())
        ready = [job for job in self._services.progress.to_begin() if self._is_ours_to_begin(job)]
        many = isinstance(self._services.executor, SubmitsMany)
        for part in handed_together(ready) if many else [[job] for job in ready]:
            self._pool.submit(self._start, part)
        return bool(self._going) or bool(self._services.progress.started())

    def close(self) -> None:
        """Waits for starts that are going on; the next server takes up what was not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _is_ours_to_begin(self, job: Job) -> bool:
        """Whether nobody begins it yet; from now on we do."""
        with self._lock:
            if self._not_before.get(job.id, 0.0) > self._services.clock.monotonic():
                return False
            handed = job.state is State.STARTING and self._handed.get(job.id) == job.attempts
            if job.id in self._going or handed:
                return False
            self._going.add(job.id)
            return True

    def _start(self, jobs: Sequence[Job]) -> None:
        specs = []
        try:
            for job in jobs:
                with self._heeding(job.id):
                    if (spec := self._begun(job)) is not None:
                        specs.append(spec)
            self._hand_over(specs)
        finally:
            with self._lock:
                self._going.difference_update(job.id for job in jobs)

    def _hand_over(self, specs: Sequence[JobSpec]) -> None:
        executor = self._services.executor
        if len(specs) > 1 and isinstance(executor, SubmitsMany):
            with self._heeding(*(spec.job for spec in specs)):
                try:
                    executor.submit_all(specs)
                except InvalidInput:
                    # Each hears its own refusal, and one keeps no other from starting.
                    self._hand_over_each(specs)
                else:
                    self._note_handed(specs)
        else:
            self._hand_over_each(specs)

    def _hand_over_each(self, specs: Sequence[JobSpec]) -> None:
        for spec in specs:
            with self._heeding(spec.job):
                self._services.executor.submit(spec)
                self._note_handed([spec])

    def _note_handed(self, specs: Sequence[JobSpec]) -> None:
        for spec in specs:
            self._handed[spec.job] = spec.attempt
            self._waiting.pop(spec.job, None)

    @contextmanager
    def _heeding(self, *ids: str) -> Iterator[None]:
        """What goes wrong within it befalls these jobs and no other; the worker is woken to see it."""
        try:
            yield
        except Unavailable as error:
            for job_id in ids:
                self._try_again(job_id, error)
        except FabriekError as error:
            self._fail(ids, error.detail)
        except Exception:
            log.exception("jobs %s could not be started", ", ".join(ids))
            self._fail(ids, BY_OUR_FAULT)
        else:
            return
        self._wake()

    def _try_again(self, job_id: str, error: Unavailable) -> None:
        """What is away comes back: a job waits for its executor, and fails only when patience is over."""
        clock = self._services.clock
        first = self._waiting.setdefault(job_id, clock.monotonic())
        if clock.monotonic() - first >= PATIENCE_SECONDS:
            del self._waiting[job_id]
            self._fail([job_id], error.detail)
        else:
            self._not_before[job_id] = clock.monotonic() + RETRY_SECONDS
            log.warning("job %s waits for its executor: %s", job_id, error.detail)

    def _begun(self, let_in: Job) -> JobSpec | None:
        """The job begun, and all that it needs; None if it was cancelled. One transaction, so that it waits for the disk once, unless
        its environment must be built, which takes a while. What programs are asked for is asked for before: everybody else who writes
        would wait for them.
        """
        services, base = self._services, self._environments.base()
        bare, account = services.compute.runs_without_walls(let_in), self._account(let_in)
        # Before the transaction, in which no key service may be asked: what the job reads, and the room that takes its log.
        services.vault.check_openable(_read_by(let_in))
        services.vault.safe.prepare(services.vault.room(let_in.project))
        with services.database.transaction(alone=f"job:{let_in.id}"):
            job = services.progress.begin(let_in.id)
            if job is None:
                return None
            if not job.requirements.strip():
                return self._spec(job, base, account, bare=bare)
        environment = environment_of(job, services, self._environments, self._server_url)
        with services.database.transaction(alone=f"job:{let_in.id}"):
            return self._spec(job, environment, account, bare=bare)

    def _fail(self, ids: Sequence[str], reason: str) -> None:
        """What went wrong has taken back the beginning too: each begins once more, to fail with its reason."""
        for job_id in ids:
            with self._services.database.transaction(alone=f"job:{job_id}"):
                if self._services.progress.begin(job_id) is not None:
                    self._services.progress.fail(job_id, reason)

    def _spec(self, job: Job, environment: Environment, account: str, *, bare: bool) -> JobSpec:
        services, settings = self._services, self._services.settings
        run = job.run or services.lab.open_run(
            job.project, job.experiment or "Default", job=job.id, label=job.label, person=job.person, name=job.name,
            parameters=job.terms.parameters,
        )  # fmt: skip
        if job.array and not job.run:
            services.grouping.join_sweep(job.project, job.array, run, name=job.name, person=job.person)
        given = services.vault.grants_to_job(
            _read_by(job), job.id, project=job.project, purpose=job.purpose, person=job.person
        )
        grants = {one: given[one.version_id] for one in job.inputs}
        inputs = [InputSpec(one.dataset_name, one.version, grants[one].id, one.mount) for one in job.mounted]
        if job.output:  # of the attempt before: where it was when it asked to run again
            inputs.append(InputSpec("checkpoint", 0, given[job.output].id, CHECKPOINT))
        upload = services.vault.output_for_job(job.project, job.id, job.label)
        ends = services.clock.now() + timedelta(seconds=job.wall_seconds_max) + TOKEN_MARGIN
        node_token = services.job_secrets.issue(job.id, job.project, "node", ends)
        lab_token = services.job_secrets.issue(job.id, job.project, "lab", ends)
        # Of an image, only its node knows the hash, once it has opened it.
        services.progress.note(job.id, run=run, environment_hash="" if job.terms.image else environment.hash)
        variables = (
            hub_variables(job, lab_token)
            | dict(job.environment)
            | pip_variables(job, lab_token, self._environments.version, walls=not bare)
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
        placed = job.placed
        return JobSpec(
            job=job.id, attempt=job.attempts, argv=job.argv, environment=variables,
            inputs=tuple(inputs),
            code=InputSpec("code", 1, given[job.code].id, "/home/job") if job.code else None,
            python=environment.path, cpus=job.cpus, memory_bytes=job.memory_bytes, processes_max=settings.job_processes_max,
            wall_seconds_max=job.shape.wall_seconds_max, log_bytes_max=settings.job_log_bytes_max, grace_seconds=grace,
            server_url=self._server_url, node_token=node_token, lab_socket_dir=self._lab_socket_dir,
            output=OutputSpec(upload.id), unsandboxed=bare,
            signal=job.terms.signal, signal_seconds=job.terms.signal_seconds, shared=shared, folder_inside=job.terms.folder,
            hosts=job.terms.hosts, addresses=self._addresses(job), host_network=job.terms.network is Network.HOST or services.compute.spreads(job),
            port=job.terms.port, slurm=slurm_variables(job),
            secrets=tuple(SecretSpec(one.name, one.variable, one.file) for one in job.secrets),
            account=account, gpu_devices=settings.gpu_devices,
            gpus=job.gpus.milli // MILLI, gpu_part_milli=job.gpus.part_milli, gpu_kind=placed.kind if placed else job.gpus.kind,
            devices=placed.devices if placed else (), nodes=job.nodes, batch=job.terms.batch,
            inputs_by=settings.job_inputs, sample_seconds=settings.job_sample_seconds,
            image=self._image(job, grants), partitions=services.compute.partitions_of(job),
        )  # fmt: skip

    def _image(self, job: Job, grants: Mapping[JobInput, Grant]) -> ImageSpec | None:
        """Raises NotFound where the operator has taken one off the list."""
        image = image_of(job.terms.image)
        if image is None:
            return None
        if not image.dataset:
            return ImageSpec(path_of(image.file, self._images))
        return ImageSpec(image.file, next(grant.id for one, grant in grants.items() if one.mount == NOT_MOUNTED))

    def _account(self, job: Job) -> str:
        if not self._services.settings.slurm_accounts:
            return ""
        return self._services.cluster_accounts.account_of(self._services.access.project(job.project).slug)

    def _addresses(self, job: Job) -> tuple[str, ...]:
        """Inner ones to which the hosts that the job named may lead. Raises NotPermitted where the operator has taken one off the list."""
        check_hosts(job.terms.hosts, self._hosts)
        return tuple(map(str, self._hosts.addresses))


def _read_by(job: Job) -> Sequence[str]:
    """The versions that the job reads: its inputs, its code, and what the attempt before left."""
    return [one.version_id for one in job.inputs] + [one for one in (job.code, job.output) if one]
