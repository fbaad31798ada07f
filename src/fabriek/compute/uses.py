"""What a job used, as its supervisor wrote and as the machine's own accounts say."""

from dataclasses import dataclass
from typing import Any

from fabriek.compute.executors.accounts import Account


@dataclass(frozen=True, slots=True)
class Use:
    """`cpu_seconds` of all attempts together, `memory_bytes_peak` of the largest; `ran_seconds` and `account` of the latest, the seconds as
    the supervisor wrote them.
    """

    cpu_seconds: float = 0.0
    memory_bytes_peak: int = 0
    ran_seconds: float = 0.0
    account: Account | None = None

    def and_then(self, *, cpu_seconds: float, memory_bytes_peak: int, ran_seconds: float) -> "Use":
        """With one attempt more."""
        peak = max(self.memory_bytes_peak, memory_bytes_peak)
        return Use(self.cpu_seconds + cpu_seconds, peak, ran_seconds)

    def as_json(self) -> dict[str, Any]:
        """What differs from nothing."""
        plain = {"cpu_seconds": self.cpu_seconds, "memory_bytes_peak": self.memory_bytes_peak, "ran_seconds": self.ran_seconds}  # fmt: skip
        said: dict[str, Any] = {name: value for name, value in plain.items() if value}
        return said | ({"account": self.account.as_json()} if self.account else {})

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Use":
        account = plain.get("account")
        return cls(**plain | {"account": Account.from_json(account) if account else None})
