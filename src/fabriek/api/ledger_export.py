"""The ledger as a file, over HTTP."""

from collections.abc import Iterator
from typing import Literal

from fastapi import Query
from starlette.responses import StreamingResponse

from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["funding"])

KINDS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


def streamed(pieces: Iterator[str], form: str, quarter: str) -> StreamingResponse:
    """As a file to keep. The quarter was checked: it names a file here."""
    name = f"ledger-{quarter.upper() or 'all'}.{form}"
    return StreamingResponse(
        pieces, media_type=KINDS[form], headers={"Content-Disposition": f"attachment; filename={name}"}
    )


@router.get("/funding/export", access=Right("funding.view"), response_class=StreamingResponse)
def export(
    caller: CallerDep,
    factory: FactoryDep,
    quarter: str = Query("", max_length=10),
    form: Literal["csv", "jsonl"] = "csv",
) -> StreamingResponse:
    """The whole ledger or a quarter's, as CSV or JSON lines; the last line says how many entries there are, their sums, and the SHA-256."""
    return streamed(factory.exporting.export(form, quarter, by=caller), form, quarter.strip())
