"""A line on which answers are lost: what was asked is done, and whoever asked does not hear of it."""

from typing import Any


def losing_answers(every: int) -> Any:
    """The server does what it is asked, and every so many answers are lost on the way."""
    count = 0

    def around(app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            nonlocal count
            if scope["type"] != "http" or scope["method"] != "POST":
                await app(scope, receive, send)
                return
            count += 1
            if count % every:
                await app(scope, receive, send)
                return

            async def nowhere(_: Any) -> None:
                """Nobody hears it."""

            await app(scope, receive, nowhere)
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        return wrapped

    return around
