"""`--mail-type` of sbatch in the words of `--notify`. Mail goes to who submits: `--mail-user` names nobody else."""

from fabriek.kernel.errors import InvalidInput

OCCASIONS = {"BEGIN": "begin", "END": "end", "FAIL": "fail"}
ALL = ("BEGIN", "END", "FAIL")
WITHOUT_MEANING = frozenset(
    [
        "REQUEUE",
        "INVALID_DEPEND",
        "STAGE_OUT",
        "TIME_LIMIT",
        "TIME_LIMIT_90",
        "TIME_LIMIT_80",
        "TIME_LIMIT_50",
        "ARRAY_TASKS",
    ]
)
"""Taken as sbatch takes them; nothing here is told on these occasions."""


def notify_of(options: dict[str, str]) -> list[str]:
    """`begin,end:mail`; empty where no mail is asked for. Raises InvalidInput on an occasion that sbatch does not know."""
    said = [one.strip().upper() for one in options.get("mail-type", "").split(",") if one.strip()]
    if odd := [one for one in said if one not in OCCASIONS and one not in WITHOUT_MEANING | {"ALL", "NONE"}]:
        raise InvalidInput(f"Invalid --mail-type specification {odd[0]!r}", fix="--mail-type END,FAIL")
    if "NONE" in said:
        return []
    wanted = set(ALL if "ALL" in said else said) & OCCASIONS.keys()
    if "END" in wanted:
        wanted.discard("FAIL")  # an end is told however it came
    occasions = ",".join(OCCASIONS[one] for one in ALL if one in wanted)
    return [f"{occasions}:mail"] if occasions else []
