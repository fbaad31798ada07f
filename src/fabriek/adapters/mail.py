"""Mail through the operator's relay."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from fabriek.kernel.errors import InvalidInput, Unavailable

SECONDS_MAX = 10.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
FOR_GOOD = 500
HOW = ("starttls", "tls", "none")


class NotTaken(Unavailable):
    """The relay answers, and does not take this one mail. for_good: nor will it later, as it says (RFC 5321, replies of the 500s)."""

    def __init__(self, detail: str, *, for_good: bool) -> None:
        super().__init__(detail)
        self.for_good = for_good


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail is handed in. how: `starttls`, `tls` from the first byte, or `none` on this machine alone. user: empty where the relay asks for
    no name; `password` is called at each mail.
    """

    host: str
    port: int
    sender: str
    how: str
    user: str = ""
    password: Callable[[], str] | None = None

    def __post_init__(self) -> None:
        """Raises InvalidInput on settings with which no mail could be sent, or only in plain over a network."""
        if not self.host:
            return
        if "@" not in self.sender:
            raise InvalidInput(
                "mail_host is set and mail_from is no address", fix="FABRIEK_MAIL_FROM=factory@example.org"
            )
        if self.how not in HOW:
            raise InvalidInput(f"mail_tls is {self.how!r}", fix=f"one of {', '.join(HOW)}")
        if self.how == "none" and self.host not in LOOPBACK:
            raise InvalidInput("mail would cross the network in plain", fix="FABRIEK_MAIL_TLS=starttls, or tls")
        if bool(self.user) != (self.password is not None):
            raise InvalidInput(
                "a relay takes a name with a password, or neither", fix="set mail_user and mail_password_file"
            )

    def send(self, to: str, subject: str, text: str, *, name: str) -> None:
        """name: what this mail is called, the same however often it is sent. Raises Unavailable, which says no address; where it is about
        this mail alone, NotTaken.
        """
        domain = self.sender.rpartition("@")[2]
        try:
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = self.sender, to, subject
            message["Message-ID"] = f"<{name}@{domain}>"
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(text)
            with self._connected(domain) as relay:
                if self.how == "starttls":
                    relay.starttls(context=ssl.create_default_context())
                if self.password is not None:
                    relay.login(self.user, self.password())
                relay.send_message(message)
        except InvalidInput as error:  # the password's file is not there now
            raise Unavailable(error.detail) from None
        except (OSError, ValueError) as error:  # what smtplib raises is an OSError
            raise _failed(error) from None

    def _connected(self, domain: str) -> smtplib.SMTP:
        if self.how == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, local_hostname=domain, timeout=SECONDS_MAX, context=context)
        return smtplib.SMTP(self.host, self.port, local_hostname=domain, timeout=SECONDS_MAX)


def _failed(error: OSError | ValueError) -> Unavailable:
    """What went wrong, without the address."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            code = next(iter(refused.values()))[0]
            return NotTaken(f"the mail relay refused the recipient with {code}", for_good=code >= FOR_GOOD)
        case smtplib.SMTPDataError(smtp_code=code):
            return NotTaken(f"the mail relay answered {code}", for_good=code >= FOR_GOOD)
        case smtplib.SMTPAuthenticationError(smtp_code=code):
            said = f"did not take its name and password: it answered {code}"
        case smtplib.SMTPResponseException(smtp_code=code):
            said = f"answered {code}"
        case smtplib.SMTPException():
            said = f"failed: {type(error).__name__}"
        case OSError():  # a certificate that does not hold is a ValueError too
            said = f"cannot be reached: {error.strerror or error}"
        case _:
            return NotTaken("the address is none that mail can be sent to", for_good=True)
    return Unavailable(f"the mail relay {said}")
