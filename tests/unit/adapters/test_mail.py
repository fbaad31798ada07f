"""Mail is handed to a real relay, over TLS, and what the relay says against it is told without an address."""

import smtplib
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from fabriek.adapters.mail import Relay
from fabriek.kernel.errors import InvalidInput, Unavailable
from tests.servers.certificates import certificate
from tests.servers.mailbox import taking_mail

SENDER = "factory@fabriek.example"


@pytest.mark.parametrize("how", ["starttls", "tls", "none"])
def test_a_mail_arrives_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    shown = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(shown))
    with taking_mail(shown if how != "none" else None, how) as mailbox:
        Relay("localhost" if how != "none" else "127.0.0.1", mailbox.port, SENDER, how).send(
            "olga@factory.example", "Job 1: failed", "line one\nline two\n", name="ntc_1"
        )
    [(to, message)] = mailbox.came
    assert (to, message["From"], message["To"]) == ("olga@factory.example", SENDER, "olga@factory.example")
    assert message["Message-ID"] == "<ntc_1@fabriek.example>"
    assert message.get_content().splitlines() == ["line one", "line two"]
    assert mailbox.secured == [how != "none"]


@pytest.mark.parametrize("how", ["starttls", "tls"])
def test_a_relay_that_asks_who_we_are_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    shown = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(shown))
    with taking_mail(shown, how, {"factory": "correct"}) as mailbox:
        relay = Relay("localhost", mailbox.port, SENDER, how, "factory", lambda: "correct")
        relay.send("olga@factory.example", "s", "t", name="n")
    assert (len(mailbox.came), mailbox.secured) == (1, [True])
    assert "correct" not in repr(relay)


def test_a_relay_that_does_not_know_us_is_said_without_the_password(tmp_path: Path) -> None:
    with taking_mail(knows={"factory": "correct"}) as mailbox:
        for user, password in (("factory", lambda: "wrong-canary"), ("", None)):
            with pytest.raises(Unavailable) as refused:
                Relay("127.0.0.1", mailbox.port, SENDER, "none", user, password).send("o@f.example", "s", "t", name="n")
            assert "canary" not in str(refused.value)
    assert mailbox.came == []


def test_a_password_that_cannot_be_read_now_is_tried_again_later() -> None:
    def gone() -> str:
        raise InvalidInput("mail_password_file cannot be read", fix="make it")

    with taking_mail(knows={"factory": "correct"}) as mailbox, pytest.raises(Unavailable, match="cannot be read"):
        Relay("127.0.0.1", mailbox.port, SENDER, "none", "factory", gone).send("o@f.example", "s", "t", name="n")


@pytest.mark.parametrize("how", ["starttls", "tls"])
def test_a_relay_whose_certificate_does_not_hold_gets_nothing(tmp_path: Path, how: str) -> None:
    with (
        taking_mail(certificate(tmp_path, "localhost"), how) as mailbox,
        pytest.raises(Unavailable, match="cannot be reached"),
    ):
        Relay("localhost", mailbox.port, SENDER, how).send("olga@factory.example", "s", "t", name="n")
    assert mailbox.came == []


def test_a_relay_that_knows_no_tls_gets_nothing() -> None:
    with taking_mail() as mailbox, pytest.raises(Unavailable, match="SMTPNotSupportedError"):
        Relay("127.0.0.1", mailbox.port, SENDER, "starttls").send("olga@factory.example", "s", "t", name="n")
    assert mailbox.came == []


def test_a_refused_recipient_is_told_by_code_alone() -> None:
    with taking_mail() as mailbox:
        mailbox.refuses = "550 no olga@factory.example here"
        with pytest.raises(Unavailable) as refused:
            Relay("127.0.0.1", mailbox.port, SENDER, "none").send("olga@factory.example", "s", "t", name="n")
    assert refused.value.detail == "the mail relay refused the recipient with 550"


def test_an_address_that_would_write_headers_of_its_own_is_refused() -> None:
    with taking_mail() as mailbox, pytest.raises(Unavailable, match="none that mail"):
        Relay("127.0.0.1", mailbox.port, SENDER, "none").send("a@b.c\r\nBcc: d@e.f", "s", "t", name="n")
    assert mailbox.came == []


def test_a_relay_that_is_away_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be reached"):
        Relay("127.0.0.1", port, SENDER, "none").send("olga@factory.example", "s", "t", name="n")
    assert issubclass(smtplib.SMTPException, OSError)  # so the order of the handlers matters


@pytest.mark.parametrize(
    ("host", "sender", "how"),
    [("relay.example", "nobody", "tls"), ("relay.example", SENDER, "ssl"), ("relay.example", SENDER, "none")],
)
def test_settings_that_could_send_nothing_or_only_in_plain_stop_the_start(host: str, sender: str, how: str) -> None:
    with pytest.raises(InvalidInput):
        Relay(host, 25, sender, how)


@pytest.mark.parametrize(("user", "password"), [("factory", None), ("", lambda: "x")])
def test_a_name_without_a_password_stops_the_start(user: str, password: Callable[[], str] | None) -> None:
    with pytest.raises(InvalidInput, match="with a password, or neither"):
        Relay("relay.example", 25, SENDER, "tls", user, password)
