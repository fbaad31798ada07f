"""Paper: a template and data become a tagged PDF, the same bytes for the same data."""

import json
import threading
from collections.abc import Mapping
from typing import Any

from fabriek.kernel.errors import Unavailable

WAIT_SECONDS_MAX = 20
# Setting type takes a core for as long as it lasts: one at a time, so that the other core answers whoever does not print.
_alone = threading.Lock()


def typeset(template: bytes, name: str, document: Mapping[str, Any]) -> bytes:
    """The PDF of a template that reads its data as `name`. Raises Unavailable where too many print at once. Slow: never inside a transaction."""
    import typst  # noqa: PLC0415  # 30 MB of fonts and compiler, for those who print

    if not _alone.acquire(timeout=WAIT_SECONDS_MAX):
        raise Unavailable("others are printing", fix="try again in a moment", retry_after_seconds=5)
    try:
        made = typst.compile(template, format="pdf", sys_inputs={name: json.dumps(document, ensure_ascii=False)})
    finally:
        _alone.release()
    assert isinstance(made, bytes), "one format was asked for, and no file named"
    return made
