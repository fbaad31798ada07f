"""A job in the words of Slurm: the variables that scripts written for it read."""

from fabriek.compute.jobs import Job

NODE_NAME = "job"
"""The host name inside every job."""

PARTITION = "fabriek"


def slurm_variables(job: Job) -> dict[str, str]:
    """What sbatch's manual promises a batch script, as far as it has a meaning here."""
    found = {
        "SLURM_JOB_ID": str(job.number),
        "SLURM_JOBID": str(job.number),
        "SLURM_JOB_NAME": job.name,
        "SLURM_JOB_PARTITION": PARTITION,
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_NNODES": "1",
        "SLURM_JOB_NODELIST": NODE_NAME,
        "SLURM_NODELIST": NODE_NAME,
        "SLURMD_NODENAME": NODE_NAME,
        "SLURM_NTASKS": str(job.terms.tasks),
        "SLURM_NPROCS": str(job.terms.tasks),
        "SLURM_CPUS_PER_TASK": str(max(1, job.cpus // job.terms.tasks)),
        "SLURM_CPUS_ON_NODE": str(job.cpus),
        "SLURM_JOB_CPUS_PER_NODE": str(job.cpus),
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
        found["SLURM_GPUS_ON_NODE"] = str(job.gpus)
    return found


def sweep_variables(job: Job) -> dict[str, str]:
    """`SWEEP_LR` for the parameter `lr` of a sweep."""
    return {f"SWEEP_{name.upper()}": value for name, value in job.terms.parameters.items()}
