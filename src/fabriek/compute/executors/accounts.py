"""What a machine's own accounts say of an attempt that is over."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Account:
    """Instants and `elapsed_seconds` are whole seconds, of all that was done for the attempt: inputs and sealing too. `state` is the
    machine's own word, `allocated` what it set aside in its own words; 0 where it measured nothing. `cancelled_by`: `uid 1000 (alice)`, where
    somebody cancelled it past us.
    """

    batch_job: str
    state: str
    started_at: datetime | None
    ended_at: datetime
    elapsed_seconds: int
    cpu_seconds: float = 0.0
    memory_bytes_peak: int = 0
    allocated: str = ""
    cancelled_by: str = ""

    def as_json(self) -> dict[str, Any]:
        started = self.started_at.isoformat() if self.started_at else None
        return asdict(self) | {"started_at": started, "ended_at": self.ended_at.isoformat()}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Account":
        started = datetime.fromisoformat(plain["started_at"]) if plain["started_at"] else None
        return cls(**plain | {"started_at": started, "ended_at": datetime.fromisoformat(plain["ended_at"])})
