"""`scontrol`: show a job, requeue it, write a node list out."""

import sys

from fabriek.cli.session import connect
from fabriek.cli.slurm.fields import NODE, at, clock_of, elapsed_seconds, exit_code, node, raw_id, reason, tres, written
from fabriek.cli.slurm.hostnames import hostnames
from fabriek.cli.slurm.listing import named
from fabriek.cli.slurm.states import state_of
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.compute import JobOut


def run(words: list[str]) -> int:
    """Raises InvalidInput on what it does not know."""
    match [word for word in words if not word.startswith("-")]:
        case ["requeue", *jobs] if jobs:
            for job in named(",".join(jobs)):
                connect().jobs.requeue(job.id)
        case ["show", "hostnames" | "hostname", *lists]:
            sys.stdout.write("".join(f"{name}\n" for one in lists or [NODE] for name in hostnames(one)))
        case ["show", "job" | "jobs", job]:
            found = named(job)
            if not found:
                raise InvalidInput("Invalid job id specified")
            one_line = {"-o", "--oneliner"} & set(words)
            for one in found:
                sys.stdout.write((" " if one_line else "\n   ").join(_shown(one)) + "\n" + ("" if one_line else "\n"))
        case ["show", "config"]:
            sys.stdout.write(
                "ClusterName             = fabriek\nMaxArraySize            = 5000\nSLURM_VERSION           = 22.05.8\n"
            )
        case ["ping"]:
            connect().jobs.machine()
            sys.stdout.write("Slurmctld(primary) at fabriek is UP\n")
        case _:
            raise InvalidInput(
                f"invalid keyword: {' '.join(words)}", fix="show job N, requeue N, show hostnames LIST, show config"
            )
    return 0


def _shown(job: JobOut) -> list[str]:
    return [
        f"JobId={raw_id(job)} JobName={written(job.name)}", f"Account={job.project} QOS={job.priority}",
        f"JobState={state_of(job)} Reason={reason(job)} Dependency={','.join(job.after) or '(null)'}",
        f"Requeue=1 Restarts={job.requeues} BatchFlag=1 Reboot=0 ExitCode={exit_code(job)}",
        f"RunTime={clock_of(elapsed_seconds(job))} TimeLimit={clock_of(job.wall_seconds_max)}", f"SubmitTime={at(job.submitted_at)}",
        f"StartTime={at(job.started_at)} EndTime={at(job.ended_at)}", f"Partition=fabriek NodeList={node(job)}",
        f"NumNodes={job.nodes} NumCPUs={job.cpus * job.nodes} NumTasks={job.tasks * job.nodes} TRES={tres(job)}",
        f"WorkDir={written(job.folder) or '/home/job'}",
    ]  # fmt: skip
