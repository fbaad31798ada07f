"""The upkeep of the store, for the client: check it, collect from it, and see how it is. For operators."""

from collections.abc import Callable, Iterator

from fabriek.schemas.upkeep import CheckIn, CheckOut, CollectedOut, CollectIn, HeapOut, StoreOut
from fabriek.sdk.client import Client


class Store:
    """What the vault's objects lie in."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def show(self) -> StoreOut:
        """What was read again and when, what is damaged, and what could be freed."""
        return StoreOut.model_validate(self._client.get("/api/v1/store"))

    def check(self, share: float = 0.0) -> Iterator[CheckOut]:
        """Goes through the whole vault and reads this share of its objects; an answer a stretch. Raises InvalidInput on a share above 1."""
        cursor = ""
        while True:
            wanted = CheckIn.model_construct(share=share, cursor=cursor)
            found = CheckOut.model_validate(self._client.post("/api/v1/store/checks", json=wanted.model_dump()))
            yield found
            if not (cursor := found.next_cursor):
                return

    def plan(self) -> CollectedOut:
        """What a collection would free; nothing is changed."""
        return CollectedOut.model_validate(self._client.get("/api/v1/store/leftovers"))

    def collect(
        self, *, despite_doubt: bool = False, progress: Callable[[CollectedOut], None] = lambda _: None
    ) -> CollectedOut:
        """Frees what nothing names any more; all parts together. Interrupted anywhere, the next call ends it."""
        found, freed = self._collect(CollectIn(listing=True, despite_doubt=despite_doubt)), dict[str, HeapOut]()
        first = found
        while True:
            for heap in found.freed:
                before = freed.get(heap.why, HeapOut(why=heap.why, objects=0, size_bytes=0))
                freed[heap.why] = HeapOut(
                    why=heap.why, objects=before.objects + heap.objects, size_bytes=before.size_bytes + heap.size_bytes
                )
            progress(found)
            if not found.more:
                break
            found = self._collect(CollectIn(listing=False))
        return CollectedOut(
            freed=[freed[why] for why in sorted(freed)], kept=found.kept, waiting=first.waiting, doubted=first.doubted
        )

    def _collect(self, wanted: CollectIn) -> CollectedOut:
        return CollectedOut.model_validate(self._client.post("/api/v1/store/collections", json=wanted.model_dump()))
