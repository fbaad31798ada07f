"""A whole factory tells what becomes of a job: by mail to who submitted it, and signed to a program."""

import json
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from fabriek.compute.notices.letters import signature
from tests.factories.waiting import until
from tests.servers.factory import Running, quickstarted, why_no_jobs
from tests.servers.mailbox import Mailbox, taking_mail
from tests.servers.receiver import Receiver, receiving

KEY = "key-of-the-project-" + "5f" * 16


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with taking_mail() as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def factory(tmp_path: Path, mailbox: Mailbox, receiver: Receiver) -> Iterator[Running]:
    if reason := why_no_jobs():
        pytest.skip(reason)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "fabriek.toml").write_text(f"""
mail_host = "127.0.0.1"
mail_port = {mailbox.port}
mail_from = "factory@fabriek.example"
mail_tls = "none"
outbound_hosts = "http://127.0.0.1:{receiver.port}"
""")
    with quickstarted(home) as running:
        yield running


@pytest.mark.sandbox
def test_a_job_tells_by_mail_and_to_a_program_what_became_of_it(
    factory: Running, mailbox: Mailbox, receiver: Receiver, tmp_path: Path
) -> None:
    hook = f"http://127.0.0.1:{receiver.port}/hook/canary"
    refused = factory.run("run", "--notify", hook, "--", "true")
    assert refused.returncode == 2
    assert "openssl rand -hex 32 | fabriek secret set NOTIFY_KEY" in refused.stderr
    assert factory.run("secret", "set", "NOTIFY_KEY", input_text=KEY).returncode == 0
    (tmp_path / "job.yaml").write_text(
        json.dumps({"command": ["sh", "-c", "exit 4"], "notify": ["mail", f"begin,fail:{hook}"], "code": "none"})
    )
    receiver.answers = [503, 204]
    ran = factory.run("run", "-f", str(tmp_path / "job.yaml"))
    assert ran.returncode == 9, ran.stderr
    until(lambda: about_jobs(mailbox) and len(receiver.came) >= 3)
    assert subjects(mailbox) == ["Job 1: failed"]
    assert f"link: {factory.url}/projects/playground/jobs/job_" in about_jobs(mailbox)[0][1].get_content()
    said = [json.loads(one.body) for one in receiver.came]
    assert {(one["occasion"], one["state"]) for one in said} == {("begin", "running"), ("fail", "failed")}
    assert len({one["id"] for one in said}) == 2  # what was tried again has the id that it had
    for one in receiver.came:
        at, _, made = one.headers["fabriek-signature"].removeprefix("t=").partition(",v1=")
        assert made == signature(KEY, at, one.body)
    shown = json.loads(factory.run("job", "show", "1", "--json").stdout)
    assert sorted((one["occasion"], one["to"], one["state"]) for one in shown["notices"]) == [
        ("begin", "https://127.0.0.1/…", "sent"), ("end", "mail", "sent"), ("fail", "https://127.0.0.1/…", "sent"),
    ]  # fmt: skip
    assert "canary" not in json.dumps(shown)


@pytest.mark.sandbox
def test_nothing_leaves_to_where_the_operator_listed_nothing(factory: Running) -> None:
    for address in ("https://hooks.example/", "http://127.0.0.1:1/", "https://169.254.169.254/latest"):
        refused = factory.run("run", "--notify", address, "--", "true")
        assert refused.returncode in {2, 5}, refused.stderr
    assert json.loads(factory.run("job", "ls", "--json").stdout) == []


def subjects(mailbox: Mailbox) -> list[str]:
    """Of what told of jobs: the application that opened the project was told of too."""
    return [str(mail["Subject"]) for _, mail in about_jobs(mailbox)]


def about_jobs(mailbox: Mailbox) -> list[tuple[str, EmailMessage]]:
    return [one for one in mailbox.came if str(one[1]["Subject"]).startswith("Job ")]


SCRIPT = "#!/bin/sh\n#SBATCH --mail-type=END,FAIL\n#SBATCH --mail-user=somebody@elsewhere.example\ntrue\n"


def sbatch(factory: Running, script: Path) -> "subprocess.CompletedProcess[str]":
    script.write_text(SCRIPT)
    shim = Path(factory.run("slurm-shim").stdout.strip())
    words = [str(shim / "sbatch"), "--wait", str(script)]
    return subprocess.run(
        words, env=factory.environment(), cwd=script.parent, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.sandbox
def test_a_batch_script_that_asks_for_mail_gets_it_at_the_address_of_who_submits(
    factory: Running, mailbox: Mailbox, tmp_path: Path
) -> None:
    done = sbatch(factory, tmp_path / "job.sh")
    assert done.returncode == 0, done.stderr
    assert "mail goes to the address of your account" in done.stderr
    until(lambda: about_jobs(mailbox))
    assert subjects(mailbox) == ["Job 1: succeeded"]
    assert "elsewhere.example" not in str(about_jobs(mailbox)[0][1]["To"])


@pytest.mark.sandbox
def test_where_no_mail_is_sent_a_batch_script_that_asks_for_it_runs_all_the_same(tmp_path: Path) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    with quickstarted(tmp_path / "home") as factory:
        done = sbatch(factory, tmp_path / "job.sh")
        assert done.returncode == 0, done.stderr
        assert "this installation sends no mail: --mail-type is ignored" in done.stderr
