"""What the client reads from its surroundings: `FABRIEK_URL`, `FABRIEK_TOKEN`, `FABRIEK_PROJECT`, or the context file."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from fabriek.kernel.errors import InvalidInput, NotAuthenticated


@dataclass(frozen=True, slots=True)
class Context:
    """Where the factory is, who you are there, and the project you work in."""

    url: str = ""
    token: str = ""
    project: str = ""


def context_file() -> Path:
    """`FABRIEK_CONTEXT`, or the user's configuration folder."""
    if named := os.environ.get("FABRIEK_CONTEXT"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "fabriek" / "context.json"


def memory_folder() -> Path:
    """Where the client remembers what it may forget: journals of pushes, hashes of files. Beside the context file."""
    return context_file().with_name("memory")


def spool_folder() -> Path:
    """Where what was logged waits for a server: `FABRIEK_SPOOL`, or the user's folder for what must survive."""
    if named := os.environ.get("FABRIEK_SPOOL"):
        return Path(named)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "fabriek" / "spool"


def read_context() -> Context:
    """The variables, and the context file for what they leave open. A token from the file goes only to the file's own URL."""
    saved = _saved()
    url = os.environ.get("FABRIEK_URL") or saved.url
    same_place = url == saved.url
    token = os.environ.get("FABRIEK_TOKEN") or (saved.token if same_place else "")
    project = os.environ.get("FABRIEK_PROJECT") or (saved.project if same_place else "")
    if not url:
        raise NotAuthenticated("no factory is known here", fix="fabriek up --quickstart, or fabriek login --url URL")
    return Context(url.rstrip("/"), token, project)


def save_context(context: Context) -> Path:
    """Writes the context file, readable by its owner only, in one step."""
    file = context_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(asdict(context), out)
    draft.replace(file)
    return file


def forget_context(url: str) -> None:
    """Removes the context file if it points at this URL."""
    if _saved().url == url:
        context_file().unlink(missing_ok=True)


def _saved() -> Context:
    file = context_file()
    try:
        raw = json.loads(file.read_text("utf-8"))
        return Context(str(raw.get("url", "")), str(raw.get("token", "")), str(raw.get("project", "")))
    except FileNotFoundError:
        return Context()
    except (ValueError, AttributeError):
        raise InvalidInput(f"{file} is not readable", fix=f"remove {file} and run fabriek login again") from None


def mlflow_credentials() -> str | tuple[str, str]:
    """What MLflow's own client would show a tracking server: a token, or a name and password; empty where there is none."""
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return token
    name = os.environ.get("MLFLOW_TRACKING_USERNAME")
    return (name, os.environ.get("MLFLOW_TRACKING_PASSWORD", "")) if name else ""
