"""The gate's own few pages: plain, without a script, and telling a stranger nothing."""

from html import escape

from fabriek.gate.heads import answer
from fabriek.gate.visits import refused as status_of
from fabriek.kernel.errors import FabriekError, NotAuthenticated

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{extra}<title>{title}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem; color: #1d2430; background: #fff }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6e9ef; background: #14181f }} }}</style></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>
"""
_POLICY = [
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
]


def page(status: str, title: str, text: str, *, again: bool = False) -> bytes:
    extra = '<meta http-equiv="refresh" content="1">' if again else ""
    body = _PAGE.format(title=escape(title), text=escape(text), extra=extra).encode()
    return answer(status, [*_POLICY, *([("retry-after", "1")] if again else [])], body)


def refused(error: FabriekError) -> bytes:
    if isinstance(error, NotAuthenticated):
        return page(
            status_of(error),
            "Open it from the portal",
            "This address needs a visit that begins at the job's page in the portal.",
        )
    return page(status_of(error), "Nothing here", "No session has this address, or it has ended, or it is not yours.")


def not_yet() -> bytes:
    return page(
        "503 Service Unavailable",
        "It is starting",
        "The session runs and does not serve yet. This page looks again by itself.",
        again=True,
    )


def not_understood(error: FabriekError, *, status: str = "400 Bad Request") -> bytes:
    return page(status, "Not understood", error.detail)


def busy() -> bytes:
    return page(
        "503 Service Unavailable", "Too many visitors", "Every line of this door is taken. Try again in a moment."
    )
