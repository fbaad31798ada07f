"""What a person may call a job: its id, an array's id, a number, or a number with an index, as Slurm writes them."""

import re
from dataclasses import dataclass

from fabriek.kernel.errors import NotFound

_NUMBER = re.compile(r"([1-9]\d{0,17})(?:_(\d{1,7}))?")


@dataclass(frozen=True, slots=True)
class Reference:
    """One of the three: `job` an id, `array` an id, or `number` with an index for one element."""

    job: str = ""
    array: str = ""
    number: int | None = None
    index: int | None = None

    @classmethod
    def read(cls, said: str) -> "Reference":
        """Raises NotFound on what names nothing."""
        if said.startswith("arr_"):
            return cls(array=said)
        if found := _NUMBER.fullmatch(said):
            return cls(number=int(found[1]), index=int(found[2]) if found[2] else None)
        if said.startswith("job_"):
            return cls(job=said)
        raise NotFound("there is no such job", fix="fabriek job ls")
