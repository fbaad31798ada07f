"""What runs jobs here, by the settings: the machine and what it offers, the executor, and where jobs have room."""

import os
import pwd
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from fabriek.compute.capacity import Capacity
from fabriek.compute.executors.capabilities import probe
from fabriek.compute.executors.contract import Caps, Executor
from fabriek.compute.executors.environments import Environments
from fabriek.compute.executors.gpu_caps import CommandCaps
from fabriek.compute.executors.local import LocalExecutor
from fabriek.compute.executors.slurm import Site, SlurmExecutor
from fabriek.compute.executors.slurm_accounts import SlurmAccounts
from fabriek.compute.executors.slurm_commands import SlurmCommands
from fabriek.compute.executors.slurm_dialect import Accounts, Slurm
from fabriek.compute.executors.slurm_rest import SlurmRest
from fabriek.compute.executors.slurm_rest_accounts import RestAccounts
from fabriek.compute.executors.slurm_restd import Restd
from fabriek.compute.executors.slurm_tokens import Tokens
from fabriek.compute.gpus import Kind, kinds_of
from fabriek.compute.hosts import listed
from fabriek.compute.images import listed_images
from fabriek.compute.machine import GangNetwork, Machine
from fabriek.compute.partitions import Partition, partitions_of
from fabriek.compute.power import Contract, Planning, PowerTable, tables_of
from fabriek.compute.powering.carbon import Mix, mixes_of
from fabriek.compute.powering.work import Work, with_own_works, works_of
from fabriek.funding.policy.rates import Rate, rates_of, with_own
from fabriek.kernel.clock import SystemClock
from fabriek.kernel.dated import shipped
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.node import AUTO, COPY, MOUNT
from fabriek.settings import Settings
from fabriek.vault.labelling.policy import labels_of

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # the kernel's own memory-backed file system


def this_machine(settings: Settings) -> Machine:
    """What this machine offers to jobs, by the settings or by itself."""
    memory = settings.job_memory_bytes_max or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4
    kinds = kinds_of(settings.job_gpus, settings.job_gpus_shared, settings.job_gpus_max)
    _check_cut(settings, kinds)
    if settings.job_inputs not in {AUTO, COPY, MOUNT}:
        raise InvalidInput(
            f"job_inputs = {settings.job_inputs!r} is none of the ways", fix="set it to auto, copy or mount"
        )
    cpus = settings.job_cpus_max or os.cpu_count() or 1
    capacity = Capacity(cpus, sum(kind.count for kind in kinds), memory, settings.job_nodes, kinds)
    contract = Contract(settings.power_contract_watts) if settings.power_contract_watts else None
    return Machine(
        capacity, tables_for(settings), rates_for(settings),
        settings.power_machine, contract, ZoneInfo(settings.zone), able=cache(probe), unsandboxed=settings.jobs_unsandboxed,
        workspaces=str(settings.workspaces or ""), host_network=settings.job_network == "host",
        gangs=_gang_network(settings), doors=settings.executor == "local", hosts=listed(settings.job_network_hosts),
        images=listed_images(settings.job_images), planning=_planning(settings), mixes=mixes_for(settings),
        partitions=_partitions(settings), works=works_for(settings),
    )  # fmt: skip


def rates_for(settings: Settings) -> tuple[Rate, ...]:
    """What computing and storing cost here. Raises InvalidInput on a file that cannot be read."""
    own = rates_of(text_of(settings.rates)) if settings.rates is not None else ()
    return with_own(rates_of(shipped("fabriek.funding", "rates.toml")), own)


def tables_for(settings: Settings) -> tuple[PowerTable, ...]:
    """What machines draw. Raises InvalidInput on a file that cannot be read."""
    ours = tables_of(shipped("fabriek.compute", "power.toml"))
    if settings.power_table is None:
        return ours
    own = tables_of(text_of(settings.power_table))
    named = {one.machine for one in own}
    return (*(one for one in ours if one.machine not in named), *own)


def works_for(settings: Settings) -> tuple[Work, ...]:
    """What kinds of work draw. Raises InvalidInput on a file that cannot be read."""
    own = works_of(text_of(settings.power_table)) if settings.power_table is not None else ()
    return with_own_works(works_of(shipped("fabriek.compute", "power.toml")), own)


def mixes_for(settings: Settings) -> tuple[Mix, ...]:
    """What CO2 the grid brings. Raises InvalidInput on a file that cannot be read."""
    own = settings.power_carbon
    return mixes_of(text_of(own) if own is not None else shipped("fabriek.compute", "carbon.toml"))


def _planning(settings: Settings) -> Planning:
    """Raises InvalidInput on what the operator cannot choose."""
    if settings.power_planning not in tuple(Planning):
        raise InvalidInput(
            f"power_planning = {settings.power_planning!r} is not known", fix="power_planning = nameplate, or measured"
        )
    return Planning(settings.power_planning)


def caps_of(settings: Settings, executor: Executor) -> Caps | None:
    """What bounds the draw of GPUs here; None where nothing can."""
    if isinstance(executor, Caps):
        return executor
    command = shlex.split(settings.power_cap_command)
    return CommandCaps(command) if command else None


def _partitions(settings: Settings) -> tuple[Partition, ...]:
    if settings.partitions is None:
        return ()
    return partitions_of(
        text_of(settings.partitions), nodes=settings.job_nodes, labels=labels_of(settings.labels).names
    )


def text_of(file: Path) -> str:
    """Of a file that a setting names. Raises InvalidInput."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read ({type(error).__name__})", fix="look at that file") from None


def _gang_network(settings: Settings) -> GangNetwork:
    """Raises InvalidInput on what the operator cannot choose."""
    if settings.gang_network not in {GangNetwork.NONE, GangNetwork.HOST}:
        raise InvalidInput(f"gang_network = {settings.gang_network!r} is not known", fix="gang_network = none, or host")
    return GangNetwork.OWN if settings.executor == "local" else GangNetwork(settings.gang_network)


def _check_cut(settings: Settings, kinds: Sequence[Kind]) -> None:
    """Raises InvalidInput where nodes would not be alike, or where Slurm cuts GPUs otherwise than the settings share them."""
    nodes = settings.job_nodes
    if nodes < 1 or any(kind.count % nodes for kind in kinds):
        raise InvalidInput(
            f"job_nodes = {nodes} does not divide the GPUs evenly", fix="give each node as many of every kind"
        )
    if settings.executor == "slurm" and any(kind.slice_milli * settings.slurm_shards % 1_000 for kind in kinds):
        raise InvalidInput(
            f"slurm_shards = {settings.slurm_shards} cannot give the parts of job_gpus_shared",
            fix="set slurm_shards to the count of gres/shard for each GPU",
        )
    if settings.executor == "slurm" and not settings.slurm_shards and any(kind.shared for kind in kinds):
        raise InvalidInput("job_gpus_shared needs Slurm's shards", fix="set slurm_shards, or leave job_gpus_shared out")


def executor_of(settings: Settings) -> Executor:
    """What runs jobs, by the settings. Raises InvalidInput."""
    if settings.executor == "local":
        return LocalExecutor(settings.home / "jobs", scratch_of(settings))
    if settings.executor == "slurm":
        scratch = scratch_of(settings)
        scratch.mkdir(parents=True, exist_ok=True, mode=0o711)
        site = Site(settings.slurm_partition, settings.slurm_account, str(scratch), settings.slurm_shards)
        slurm, accounts = slurm_of(settings)
        return SlurmExecutor(settings.slurm_jobs or settings.home / "jobs", slurm, site, accounts=accounts)
    raise InvalidInput(f"there is no executor {settings.executor!r}", fix="FABRIEK_EXECUTOR=local, or slurm")


def slurm_of(settings: Settings) -> tuple[Slurm, Accounts]:
    """How Slurm is spoken to, by the settings. Raises InvalidInput."""
    if not settings.slurm_rest:
        commands = SlurmCommands(settings.slurm_conf)
        return commands, SlurmAccounts(commands)
    user = settings.slurm_user or pwd.getpwuid(os.geteuid()).pw_name
    tokens = Tokens(settings.slurm_jwt_key, user, SystemClock(settings.zone)) if settings.slurm_jwt_key else None
    restd = Restd(settings.slurm_rest, tokens)
    return SlurmRest(restd), RestAccounts(restd)


def environments(settings: Settings) -> Environments:
    """Where the packages of jobs are built."""
    return Environments(settings.home / "environments", settings.job_python)


def scratch_of(settings: Settings) -> Path:
    """Memory-backed room for running jobs; on a machine without shared memory a folder of the home."""
    if settings.scratch is not None:
        return settings.scratch
    base = SHARED_MEMORY if SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK) else settings.home
    return base / f"fabriek-{os.getuid()}-{settings.home.stat().st_ino}"
