"""Where jobs find their project's base models."""

from fabriek.compute.jobs import Job


def hub_variables(job: Job, token: str) -> dict[str, str]:
    """For the clients of the Hugging Face Hub: the jobs' socket, and no way past it. Nothing for a job that names a hub or a token itself,
    which may be for one of the hosts that it reaches: our token is not for others, nor is theirs for us.
    """
    if {"HF_ENDPOINT", "HF_TOKEN"} & {*job.environment, *(one.variable for one in job.secrets)}:
        return {}
    return {
        "HF_ENDPOINT": "http://127.0.0.1:5000/hub",
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_XET": "1",  # its store is another service
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # a log is no terminal
        "DISABLE_SAFETENSORS_CONVERSION": "1",  # transformers would ask the Hub to convert, in a thread
    }
