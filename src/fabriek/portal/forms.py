"""Whether a form is ours, so that no other site can send one in a visitor's name: by a seal made of a cookie, or by the browser's word."""

import hashlib
import hmac
from urllib.parse import urlsplit

from fastapi import Request

from fabriek.kernel.errors import NotPermitted
from fabriek.web.callers import SESSION_COOKIE

VISIT_COOKIE = "fabriek_visit"
"""Of a browser in which nobody is signed in yet."""

SEAL_HEADER = "x-fabriek-seal"
"""Where our scripts put the seal that a form has in a field."""


def seal_of(request: Request) -> str:
    """What a form of this session must carry; empty without a session."""
    return _seal(request.cookies.get(SESSION_COOKIE, ""), b"fabriek form")


def visit_seal(visit: str) -> str:
    """What a form shown to this visit carries."""
    return _seal(visit, b"fabriek visit")


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
    _check(seal, seal_of(request), "open the page again and send it from there")


def check_visit(request: Request, seal: str) -> str:
    """The visit's cookie. Raises NotPermitted on a form of another page or browser."""
    visit = request.cookies.get(VISIT_COOKIE, "")
    _check(seal, visit_seal(visit), "open /sign-in again and send it from there")
    return visit


def check_same_site(request: Request, *, origin_too: bool = False) -> None:
    """For a form that anybody may send: raises NotPermitted where the browser says that another site did. origin_too: an older browser, which
    does not say so, says it by `Origin`. Our pages tell nobody where they are: from them it is `null`, and refused.
    """
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    by_origin = not origin_too or not origin or urlsplit(origin).netloc == request.headers["host"]
    if not (site in {"same-origin", "none"} if site else by_origin):
        raise _not_ours("open the page or the link yourself, and send it from there")


def _seal(cookie: str, word: bytes) -> str:
    return hmac.digest(cookie.encode(), word, hashlib.sha256).hex() if cookie else ""


def _check(seal: str, expected: str, fix: str) -> None:
    if not expected or not hmac.compare_digest(seal.encode(), expected.encode()):
        raise _not_ours(fix)


def _not_ours(fix: str) -> NotPermitted:
    return NotPermitted("this form did not come from this page", rule="form.seal", fix=fix)
