"""A request's body on its way from the event loop to the thread that writes it: never whole in memory."""

from collections.abc import Iterator

from anyio import from_thread
from fastapi import Request

GATHERED_BYTES = 2**20
"""What is collected before it crosses to the writing thread: one crossing per network packet would cost more than the disk."""


def arriving(request: Request) -> Iterator[bytes]:
    """The body in pieces, for a thread of the pool. Raises ClientDisconnect where it breaks off."""
    parts = request.stream().__aiter__()

    async def next_part() -> bytes:
        gathered = bytearray()
        async for part in parts:
            gathered += part
            if len(gathered) >= GATHERED_BYTES:
                break
        return bytes(gathered)

    def chunks() -> Iterator[bytes]:
        while part := from_thread.run(next_part):
            yield part

    return chunks()
