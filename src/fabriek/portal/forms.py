"""Forms: each carries a seal made of the session, so that no other site can send one in a visitor's name."""

import hashlib
import hmac

from fastapi import Request

from fabriek.kernel.errors import NotPermitted
from fabriek.web.callers import SESSION_COOKIE


def seal_of(request: Request) -> str:
    """What a form of this session must carry; empty without a session."""
    cookie = request.cookies.get(SESSION_COOKIE, "")
    return hmac.digest(cookie.encode(), b"fabriek form", hashlib.sha256).hex() if cookie else ""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form that this session was shown. Raises NotPermitted on one that came from elsewhere."""
    return dict(await read_pairs(request, 20))


async def read_pairs(request: Request, fields_max: int) -> list[tuple[str, str]]:
    """As `read_form`, for long forms and for names that come several times."""
    raw = await request.form(max_files=0, max_fields=fields_max)
    pairs = [(name, value) for name, value in raw.multi_items() if isinstance(value, str)]
    check_seal(request, dict(pairs).get("seal", ""))
    return [(name, value) for name, value in pairs if name != "seal"]


def check_seal(request: Request, seal: str) -> None:
    """Raises NotPermitted on what no page of this session sent."""
    expected = seal_of(request)
    if not expected or not hmac.compare_digest(seal.encode(), expected.encode()):
        raise NotPermitted(
            "this form did not come from this page", rule="form.seal", fix="open the page again and send it from there"
        )
