"""Mail through the operator's relay."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage

from fabriek.kernel.errors import InvalidInput, Unavailable

SECONDS_MAX = 10.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
HOW = ("starttls", "tls", "none")


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
        """name: what this mail is called, the same however often it is sent. Raises Unavailable, which says no address."""
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
        except smtplib.SMTPAuthenticationError as error:
            raise Unavailable(
                f"the mail relay did not take its name and password: it answered {error.smtp_code}"
            ) from None
        except smtplib.SMTPResponseException as error:
            raise Unavailable(f"the mail relay answered {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise Unavailable(f"the mail relay refused the recipient with {code}") from None
        except smtplib.SMTPException as error:
            raise Unavailable(f"the mail relay failed: {type(error).__name__}") from None
        except OSError as error:
            raise Unavailable(f"the mail relay cannot be reached: {error.strerror or error}") from None
        except ValueError:
            raise Unavailable("the address is none that mail can be sent to") from None

    def _connected(self, domain: str) -> smtplib.SMTP:
        if self.how == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, local_hostname=domain, timeout=SECONDS_MAX, context=context)
        return smtplib.SMTP(self.host, self.port, local_hostname=domain, timeout=SECONDS_MAX)
