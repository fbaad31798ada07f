"""Words as Slurm's commands read them: long and short options, those of `#SBATCH` lines, and those of `SBATCH_*` variables."""

import getopt
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fabriek.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Known:
    """The options of one command. `short`: letter → long name. Those in `flags` take no value."""

    short: Mapping[str, str]
    valued: frozenset[str]
    flags: frozenset[str]

    def read(self, words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """Options by their long names, and the words after them. Of one given twice the last counts. Raises InvalidInput."""
        letters = "".join(letter + (":" if name in self.valued else "") for letter, name in self.short.items())
        names = [*(f"{name}=" for name in self.valued), *self.flags]
        try:
            pairs, rest = getopt.getopt(list(words), letters, names)
        except getopt.GetoptError as error:
            raise InvalidInput(f"{error.msg}", fix="see docs/howto/slurm.md for the options that are known") from None
        found: dict[str, str] = {}
        for name, value in pairs:
            found[self.short[name[1]] if not name.startswith("--") else name[2:]] = value
        return found, rest

    def read_anywhere(self, words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """As `read`, with options also after other words."""
        options, rest = self.read(words)
        plain = []
        while rest:
            plain.append(rest.pop(0))
            more, rest = self.read(rest)
            options |= more
        return options, plain


_SIZE = re.compile(r"(\d{1,15})(?:([KMGT])(?:i?B)?)?", re.IGNORECASE)


def known(letters: str, valued: str, flags: str) -> Known:
    """letters: `o=output n=ntasks`; the others are names with blanks between."""
    short = dict(pair.split("=") for pair in letters.split())
    return Known(short, frozenset(valued.split()), frozenset(flags.split()))


def directives(script: str) -> list[str]:
    """The words of the `#SBATCH` lines before the first command of a script. Raises InvalidInput on quotes that do not close."""
    words: list[str] = []
    for number, line in enumerate(script.splitlines(), 1):
        if line.startswith("#SBATCH") and (len(line) == 7 or line[7] in " \t"):
            try:
                words += shlex.split(line[7:], comments=True)
            except ValueError:
                raise InvalidInput(f"line {number}: a quote does not close", fix="close it, or leave it out") from None
        elif line.strip() and not line.startswith("#"):
            break
    return words


def from_variables(environment: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Options of `SBATCH_TIMELIMIT` and the like; what stands in a script or on the line goes before them."""
    found = {}
    for name in names:
        variable = "SBATCH_" + {"time": "TIMELIMIT", "job-name": "JOB_NAME"}.get(name, name.upper().replace("-", "_"))
        if environment.get(variable):
            found[name] = environment[variable]
    return found


def seconds_of(text: str) -> int:
    """`30` minutes, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM`, `D-HH:MM:SS`, as sbatch reads --time. Raises InvalidInput."""
    days, dash, rest = text.strip().rpartition("-")
    parts = rest.split(":")
    if not all(part.isdecimal() for part in parts) or (dash and not days.isdecimal()) or len(parts) > 3:
        raise InvalidInput(f"Invalid --time specification {text!r}", fix="--time 01:30:00")
    numbers = [int(part) for part in parts]
    if dash:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
        return int(days) * 86_400 + hours * 3_600 + minutes * 60 + seconds
    if len(numbers) == 3:
        return numbers[0] * 3_600 + numbers[1] * 60 + numbers[2]
    return numbers[0] * 60 + (numbers[1] if len(numbers) == 2 else 0)


def bytes_of(text: str) -> int:
    """`4096` MiB, `4G`, `512M`, `100K`, `1T`: Slurm's units are binary. Raises InvalidInput."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(f"Invalid memory specification {text!r}", fix="--mem 4G")
    return int(found[1]) * {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}[(found[2] or "M").upper()]
