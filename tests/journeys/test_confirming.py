"""The way of a high act on the command line: refused, confirmed by a code of the app, done; and no secret of it in what the server keeps."""

import re
from pathlib import Path

import httpx
import pyotp
import pytest

from tests.servers.factory import quickstarted

pytestmark = pytest.mark.timeout(120)

PASSWORD = "veldmuis trombone canarypassword"


def sealed(page: httpx.Response) -> dict[str, str]:
    found = re.search(r'name="seal" value="(\w+)"', page.text)
    assert found is not None, page.text
    return {"seal": found.group(1)}


def test_a_high_act_waits_for_a_code(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with quickstarted(home) as factory:
        link = factory.run("login", "--portal").stdout.strip()
        with httpx.Client(base_url=factory.url, headers={"Accept": "text/html"}, trust_env=False) as portal:
            portal.post(f"/sign-in/{link.rpartition('/')[2]}")
            twice = {"password": PASSWORD, "again": PASSWORD}
            asked = portal.post("/account/password", data=twice | sealed(portal.get("/account")), follow_redirects=True)
            key = re.search(r"<code>([A-Z2-7]+)</code>", asked.text)
            assert key is not None
            app = pyotp.TOTP(key.group(1))
            shown = portal.post("/account/app", data={"code": app.now()} | sealed(asked))
            codes = re.findall(r"\b\w{4}-\w{4}-\w{4}-\w{4}\b", shown.text)
            assert len(codes) == 10
            visit = portal.get("/sign-in")
            portal.post(
                "/sign-in/by/password",
                data={"email": "a@b.example", "password": "canarywrong", "code": "1"} | sealed(visit),
            )
        refused = factory.run("admin", "keys", "rotate")
        assert refused.returncode == 5, refused.stderr
        assert "fabriek login --confirm" in refused.stderr
        assert factory.run("login", "--confirm", "--code", "canary-code").returncode == 5
        confirmed = factory.run("login", "--confirm", input_text=f"{codes[0]}\n")
        assert confirmed.returncode == 0, confirmed.stderr
        assert factory.run("login", "--confirm", "--code", codes[0]).returncode == 5
        done = factory.run("admin", "keys", "rotate")
        assert done.returncode == 0, done.stderr
        audited = factory.run("audit", "ls", "--json").stdout
        for word in (PASSWORD, "canarywrong", "canary-code", key.group(1), *codes):
            assert word not in audited
    kept = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    for word in (
        PASSWORD,
        "canarywrong",
        "canary-code",
        key.group(1),
        *codes,
        *(one.replace("-", "") for one in codes),
    ):
        assert word.encode() not in kept
