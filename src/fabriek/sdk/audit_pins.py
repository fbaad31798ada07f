"""What this machine keeps of each log: the key first seen, and the newest checkpoint that held. With it, a rewritten log is caught."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.environment import context_file


@dataclass(frozen=True, slots=True)
class Pin:
    """The verifier key of a log, and its newest checkpoint that was verified here, as a signed note."""

    key: str
    checkpoint: str


def pins_file() -> Path:
    """Beside the context file."""
    return context_file().with_name("audit-pins.json")


def read_pins() -> dict[str, Pin]:
    """Address of the factory → pin. Raises InvalidInput when the file was damaged: forgetting pins by accident would hide a rewriting."""
    file = pins_file()
    try:
        raw = json.loads(file.read_text("utf-8"))
        return {str(url): Pin(str(pin["key"]), str(pin["checkpoint"])) for url, pin in raw.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput(
            f"{file} is not readable", fix=f"restore {file}, or remove it to trust each log anew"
        ) from None


def save_pin(url: str, pin: Pin) -> None:
    """Keeps one, in one step, readable by its owner only."""
    file = pins_file()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pins = {name: asdict(one) for name, one in (read_pins() | {url: pin}).items()}
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(pins, out)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
