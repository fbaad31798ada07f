"""The upkeep of the store over HTTP, for operators. Each answer is one bounded part of the work; the client asks for the next."""

from collections.abc import Sequence

from fabriek.kernel.errors import NotFound
from fabriek.schemas.upkeep import CheckIn, CheckOut, CollectedOut, CollectIn, DamageOut, HeapOut, PassOut, StoreOut
from fabriek.vault.care.collecting import Collected
from fabriek.vault.care.damage import Damage, Pass, position_of
from fabriek.vault.care.leftovers import Heap
from fabriek.vault.care.stretches import Sample
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router
from fabriek.web.services import Services

router = Router(prefix="/api/v1/store", tags=["vault"])

SCOPE = "check"


def heaps_out(heaps: Sequence[Heap]) -> list[HeapOut]:
    return [HeapOut(why=str(one.why), objects=one.objects, size_bytes=one.size_bytes) for one in heaps]


def collected_out(found: Collected) -> CollectedOut:
    return CollectedOut(
        freed=heaps_out(found.freed), kept=heaps_out(found.kept), waiting=found.waiting, doubted=found.doubted, more=found.more
    )  # fmt: skip


def damage_out(one: Damage, services: Services) -> DamageOut:
    dataset = services.vault.checking.dataset(one)
    try:
        project = services.access.project(dataset.project).slug
    except NotFound:
        project = ""  # what the installation keeps for itself
    return DamageOut(
        dataset=dataset.id, name=dataset.name, project=project, versions=list(services.vault.checking.numbers(one)), object_id=one.object_id,
        why=one.why, found_at=one.found_at, path=one.path, files=one.files,
    )  # fmt: skip


def pass_out(one: Pass) -> PassOut:
    return PassOut(
        id=one.id, begun_at=one.begun_at, ended_at=one.ended_at, objects=one.objects, bytes_read=one.bytes_read,
        bytes_expected=one.bytes_expected, damaged=one.damaged,
    )  # fmt: skip


@router.get("", access=Right("vault.check"))
def show(caller: CallerDep, factory: FactoryDep) -> StoreOut:
    """How the store is: what was read again and when, what is damaged, and what could be freed."""
    standing = factory.vault.scrubbing.standing(by=caller)
    to_free, kept = factory.vault.collecting.outlook()
    return StoreOut(
        current=pass_out(standing.current) if standing.current and standing.current.ended_at is None else None,
        last=pass_out(standing.last) if standing.last else None,
        damage=[damage_out(one, factory) for one in standing.damage], to_free=heaps_out(to_free), kept=heaps_out(kept),
    )  # fmt: skip


@router.post("/checks", access=Right("vault.check"), once=False)
def check(wanted: CheckIn, caller: CallerDep, factory: FactoryDep) -> CheckOut:
    """Check the next stretch of the vault: records, sizes, and a share of the bytes."""
    seed, _, at = factory.cursors.read(SCOPE, wanted.cursor).partition("|")
    seed = seed or factory.ids.secret()
    found = factory.vault.checking.check(position_of(at), Sample(wanted.share, seed), by=caller)
    return CheckOut(
        versions=found.versions, objects=found.objects, read_objects=found.read_objects, read_bytes=found.read_bytes,
        authenticated=found.authenticated, by_hash=found.by_hash, damage=[damage_out(one, factory) for one in found.damage],
        next_cursor=factory.cursors.write(SCOPE, f"{seed}|{found.next.text}") if found.next else "",
    )  # fmt: skip


@router.get("/leftovers", access=Right("vault.collect"))
def leftovers(caller: CallerDep, factory: FactoryDep) -> CollectedOut:
    """What a collection now would free and what it would keep back; nothing is changed."""
    return collected_out(factory.vault.collecting.plan(by=caller))


@router.post("/collections", access=Right("vault.collect"), once=False)
def collect(wanted: CollectIn, caller: CallerDep, factory: FactoryDep) -> CollectedOut:
    """Free what nothing names any more, a part at a time. Interrupted, it goes on when it is asked again."""
    found = factory.vault.collecting.collect(listing=wanted.listing, despite_doubt=wanted.despite_doubt, by=caller)
    return collected_out(found)
