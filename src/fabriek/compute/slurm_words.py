"""A job in the words of Slurm: the variables that scripts written for it read."""

from fabriek.compute.jobs import Job

NODE_NAME = "job"
"""The host name inside every job."""

PARTITION = "fabriek"


def node_names(nodes: int) -> list[str]:
    """`job`, or `job-0`, `job-1` for the members of a gang."""
    return [NODE_NAME] if nodes == 1 else [f"{NODE_NAME}-{number}" for number in range(nodes)]


def slurm_variables(job: Job) -> dict[str, str]:
    """What sbatch's manual promises a batch script, as far as it has a meaning here."""
    names, tasks = node_names(job.nodes), job.terms.tasks
    times = f"(x{job.nodes})" if job.nodes > 1 else ""
    found = {
        "SLURM_JOB_ID": str(job.number),
        "SLURM_JOBID": str(job.number),
        "SLURM_JOB_NAME": job.name,
        "SLURM_JOB_PARTITION": PARTITION,
        "SLURM_JOB_NUM_NODES": str(job.nodes),
        "SLURM_NNODES": str(job.nodes),
        "SLURM_JOB_NODELIST": ",".join(names),
        "SLURM_NODELIST": ",".join(names),
        "SLURMD_NODENAME": names[0],
        "SLURM_NTASKS": str(tasks * job.nodes),
        "SLURM_NPROCS": str(tasks * job.nodes),
        "SLURM_NTASKS_PER_NODE": str(tasks),
        "SLURM_TASKS_PER_NODE": f"{tasks}{times}",
        "SLURM_CPUS_PER_TASK": str(max(1, job.cpus // tasks)),
        "SLURM_CPUS_ON_NODE": str(job.cpus),
        "SLURM_JOB_CPUS_PER_NODE": f"{job.cpus}{times}",
        "SLURM_MEM_PER_NODE": str(job.memory_bytes // 2**20),
        "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0",
        "SLURM_NODEID": "0",
        "SLURM_RESTART_COUNT": str(job.attempts - 1),
        "SLURM_SUBMIT_DIR": job.terms.folder,
    }
    if job.array_index is not None:
        found |= {"SLURM_ARRAY_JOB_ID": str(job.array_number), "SLURM_ARRAY_TASK_ID": str(job.array_index)}
    if job.gpus:
        found["SLURM_GPUS_ON_NODE"] = str(job.gpus.devices)
    return found


def sweep_variables(job: Job) -> dict[str, str]:
    """`SWEEP_LR` for the parameter `lr` of a sweep."""
    return {f"SWEEP_{name.upper()}": value for name, value in job.terms.parameters.items()}
