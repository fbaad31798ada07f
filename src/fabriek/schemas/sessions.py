"""Kinds of sessions: what is started when somebody asks for a notebook."""

from dataclasses import dataclass

PORT = 8888
"""Where each kind serves, within its own walls."""


@dataclass(frozen=True, slots=True)
class SessionKind:
    """`requirements`: packages that its environment is built from, unless others are named."""

    title: str
    command: tuple[str, ...]
    requirements: str


KINDS: dict[str, SessionKind] = {
    "jupyter": SessionKind(
        "JupyterLab",
        (
            "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", f"--port={PORT}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
            "--ServerApp.allow_remote_access=True", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ),
        "jupyterlab\n",
    ),
    "terminal": SessionKind(
        "Terminal",
        (
            "jupyter", "notebook", "--no-browser", "--ip=127.0.0.1", f"--port={PORT}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
            "--ServerApp.allow_remote_access=True", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--JupyterNotebookApp.default_url=/terminals/1",
        ),
        "notebook\n",
    ),
    "tensorboard": SessionKind(
        "TensorBoard", ("tensorboard", "--host=127.0.0.1", f"--port={PORT}", "--logdir=."), "tensorboard\nsetuptools<81\n"
    ),
}  # fmt: skip
"""The gate has asked who a visitor is, so that the app need not ask again."""
