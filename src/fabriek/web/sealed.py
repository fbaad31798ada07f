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
        if scope["type"] == "http" and scope["path"] not in ANSWERED:
            known = self._seal.known()
            if await run_in_threadpool(self._seal.is_sealed) if known is None else known:
                raise sealed_now()
        await self._app(scope, receive, send)
