"""While the vault is sealed, the server answers only its status, and whoever opens it."""

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from fabriek.vault.keeping.epochs import sealed_now
from fabriek.vault.keeping.seals import Seal

ANSWERED = frozenset({"/healthz", "/api/v1/seal", "/api/v1/seal/open"})


class SealGate:
    """ASGI middleware inside the envelope, which answers what is raised here. What runs beside jobs is not behind it."""

    def __init__(self, app: ASGIApp, *, seal: Seal) -> None:
        self._app, self._seal = app, seal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in ANSWERED and await is_sealed(self._seal):
            raise sealed_now()
        await self._app(scope, receive, send)


async def is_sealed(seal: Seal) -> bool:
    """Asks the database where this server has not for a while."""
    known = seal.known()
    return await run_in_threadpool(seal.is_sealed) if known is None else known
