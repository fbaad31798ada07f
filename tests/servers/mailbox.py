"""A real mail relay on this machine that keeps what it takes."""

import asyncio
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.servers.certificates import server_context


@dataclass
class Mailbox:
    """`refuses`: what it says to every recipient, `refuses_at` to those of one domain; `secured`: whether each mail came over TLS; `knows`:
    names and their passwords, where it takes mail of nobody else.
    """

    port: int = 0
    came: list[tuple[str, EmailMessage]] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    refuses: str = ""
    refuses_at: dict[str, str] = field(default_factory=dict)
    knows: dict[str, str] = field(default_factory=dict)

    def check(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, told: LoginPassword) -> AuthResult:
        """Whether it knows who asks."""
        return AuthResult(success=self.knows.get(told.login.decode()) == told.password.decode(), handled=False)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if refusal := self.refuses or self.refuses_at.get(address.partition("@")[2], ""):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.came += [(to, message) for to in envelope.rcpt_tos]
        self.secured.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 taken"


@contextmanager
def taking_mail(
    certificate: Path | None = None, how: str = "none", knows: dict[str, str] | None = None
) -> Iterator[Mailbox]:
    mailbox, loop = Mailbox(knows=knows or {}), asyncio.new_event_loop()
    context = server_context(certificate) if certificate else None
    starttls, tls = (context if how == "starttls" else None), (context if how == "tls" else None)

    def session() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # it finds a name without TLS wrong, as it is: one test shows what we do then
            return SMTP(
                mailbox, hostname="relay", loop=loop, tls_context=starttls, require_starttls=starttls is not None,
                authenticator=mailbox.check if mailbox.knows else None, auth_required=bool(mailbox.knows), auth_require_tls=False,
            )  # fmt: skip

    server = loop.run_until_complete(loop.create_server(session, "127.0.0.1", 0, ssl=tls))
    mailbox.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield mailbox
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
