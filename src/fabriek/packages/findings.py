"""What looking through a wheel found: told to who approves, in the order of weight. It decides nothing by itself but what is worst."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from fabriek.packages.advisories import Advised
from fabriek.packages.names import alike
from fabriek.packages.wheels import Wheel

LARGE_BYTES = 512 * 2**20
SHOWN_MAX = 3


class Weight(StrEnum):
    """`grave`: approved only with a reason. `look`: to be looked at. `note`: good to know."""

    GRAVE = "grave"
    LOOK = "look"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule` is a word to compare, `says` a sentence to read."""

    rule: str
    weight: Weight
    says: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a wheel is compared with. `approved` and `well_known`: normalised names. `yanked`: its index took it back."""

    approved: Collection[str]
    well_known: Collection[str]
    advised: Advised
    size_bytes: int
    yanked: bool = False


def look_through(wheel: Wheel, around: Surroundings) -> tuple[Finding, ...]:
    """Everything worth telling, the gravest first. What could not be looked at is told too: it has not passed."""
    found = [
        *_advised(around.advised), *_alike(wheel, around), *_yanked(around), *_code(wheel), *_licence(wheel), *_size(around),
    ]  # fmt: skip
    return _ordered(found)


def renewed(findings: Collection[Finding], advised: Advised) -> tuple[Finding, ...]:
    """The findings with what is known of vulnerabilities now in place of what was known then."""
    kept = [one for one in findings if not one.rule.startswith("vulnerabilit")]
    return _ordered([*_advised(advised), *kept])


def is_grave(findings: Collection[Finding]) -> bool:
    return any(one.weight is Weight.GRAVE for one in findings)


def _ordered(found: Collection[Finding]) -> tuple[Finding, ...]:
    order = list(Weight)
    return tuple(sorted(found, key=lambda one: order.index(one.weight)))


def _advised(advised: Advised) -> list[Finding]:
    if not advised.compared:
        return [
            Finding(
                "vulnerabilities.unchecked", Weight.LOOK, f"known vulnerabilities were not looked up: {advised.why_not}"
            )
        ]
    found = [Finding("vulnerability", Weight.GRAVE, f"{one.id}: {one.summary}") for one in advised.against]
    found += [
        Finding("vulnerability.unclear", Weight.LOOK, f"{one.id} may concern this version; what it says cannot be compared: {one.summary}")
        for one in advised.perhaps
    ]  # fmt: skip
    clean = Finding("vulnerabilities.none", Weight.NOTE, f"none of {advised.compared:,} advisories concerns it")
    return found or [clean]


def _alike(wheel: Wheel, around: Surroundings) -> list[Finding]:
    name = wheel.file.package.name
    if name in around.approved or name in around.well_known:
        return []
    near = sorted(known for known in {*around.approved, *around.well_known} if alike(name, known))
    return [Finding("name.alike", Weight.GRAVE, f"the name is easily taken for {', '.join(near)}")] if near else []


def _yanked(around: Surroundings) -> list[Finding]:
    return [Finding("yanked", Weight.GRAVE, "its own index took this version back")] if around.yanked else []


def _code(wheel: Wheel) -> list[Finding]:
    found = []
    if wheel.lines_at_start:
        says = f"{_shown(wheel.lines_at_start)} runs at each start of an interpreter, imported or not"
        found.append(Finding("code.at_start", Weight.LOOK, says))
    if wheel.native:
        found.append(Finding("code.native", Weight.NOTE, f"holds machine code: {_shown(wheel.native)}"))
    if wheel.scripts:
        found.append(Finding("code.scripts", Weight.NOTE, f"puts commands on the path: {_shown(wheel.scripts)}"))
    return found


def _licence(wheel: Wheel) -> list[Finding]:
    if not wheel.metadata.licence:
        return [Finding("licence.none", Weight.LOOK, "names no licence")]
    return [Finding("licence", Weight.NOTE, f"licence: {wheel.metadata.licence}")]


def _size(around: Surroundings) -> list[Finding]:
    large = around.size_bytes > LARGE_BYTES
    return [Finding("size", Weight.NOTE, f"{around.size_bytes // 2**20:,} MiB")] if large else []


def _shown(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - SHOWN_MAX} more" if len(paths) > SHOWN_MAX else ""
    return ", ".join(paths[:SHOWN_MAX]) + more
