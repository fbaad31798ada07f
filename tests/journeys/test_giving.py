"""Giving by the command line: money that is asked for, granted and withdrawn, the ledger taken along, and a link for an auditor."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers.factory import Running, quickstarted


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("giving") / "home"
    home.mkdir(mode=0o700)
    with quickstarted(home) as running:
        yield running


def said(factory: Running, *arguments: str) -> str:
    done = factory.run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def told(factory: Running, *arguments: str) -> list[dict[str, object]]:
    found = json.loads(said(factory, *arguments, "--json"))
    return found if isinstance(found, list) else [found]


def parts(factory: Running, *arguments: str) -> dict[str, int]:
    return {str(one["name"]): int(str(one["part"])) for one in told(factory, "funding", "shares", *arguments)}


def test_money_makes_a_share_when_it_is_granted_and_none_when_it_goes(factory: Running) -> None:
    said(factory, "org", "create", "Europe", "--kind", "funder")
    before = parts(factory)
    [made] = told(factory, "funding", "apply", "europe", "--kind", "eu", "--euro", "70000000")
    assert (made["state"], parts(factory)["europe"]) == ("applied", 0)
    assert "it cannot become received" in factory.run("funding", "receive", str(made["id"])).stderr
    past = factory.run("funding", "grant", str(made["id"]), "--on", "2020-01-01")
    assert past.returncode == 2
    assert "has passed" in past.stderr
    said(factory, "funding", "grant", str(made["id"]))
    assert parts(factory)["europe"] == 500_000  # of so much it may have half
    said(factory, "funding", "receive", str(made["id"]))
    states = {one["id"]: one["state"] for one in told(factory, "funding", "contributions")}
    assert states[made["id"]] == "received"
    said(factory, "funding", "withdraw", str(made["id"]), "--on", "2099-01-01")
    assert parts(factory)["europe"] == 500_000
    after = {name: part for name, part in parts(factory, "--on", "2099-01-01").items() if part}
    assert after == {name: part for name, part in before.items() if part}
    for euro in ("0", "-5", "1.5", "1e9"):
        assert factory.run("funding", "apply", "europe", "--kind", "eu", "--euro", euro).returncode == 2
    assert re.search(r"20\d\dQ[1-4]: ", said(factory, "funding", "quarter"))
    assert factory.run("funding", "quarter", "2026Q7").returncode == 2
    caps = said(factory, "funding", "caps")
    assert "cap.eu_first_steps" in caps
    assert "director: at most 5 %" in caps


def test_an_organisation_is_described_and_no_group_stands_in_another(factory: Running) -> None:
    for name in ("Acme", "Acme Labs", "Acme Arms"):
        said(factory, "org", "create", name, "--kind", "company")
    [described] = told(
        factory, "org", "describe", "acme-labs", "--region", "groningen", "--size", "small", "--head", "acme"
    )
    assert (described["head"], described["size"]) == ("acme", "small")
    assert told(factory, "org", "describe", "acme-labs") == [described]
    nested = factory.run("org", "describe", "acme", "--head", "acme-arms")
    assert nested.returncode == 2
    assert "is the head of a group itself" in nested.stderr
    assert factory.run("org", "describe", "acme-arms", "--head", "acme-labs").returncode == 2
    assert factory.run("org", "describe", "acme", "--size", "huge").returncode == 2
    assert factory.run("org", "describe", "nobody").returncode == 3
    [alone] = told(factory, "org", "describe", "acme-labs", "--head", "acme-labs")
    assert alone["head"] == ""


def test_the_ledger_is_taken_along_and_a_spoilt_copy_is_told(factory: Running, tmp_path: Path) -> None:
    file, lines = tmp_path / "ledger.csv", tmp_path / "ledger.jsonl"
    assert "whole" in said(factory, "funding", "export", "--csv", str(file))
    said(factory, "funding", "export", "--jsonl", str(lines))
    assert "whole" in said(factory, "funding", "check-export", str(file))
    assert factory.run("funding", "export", "--csv", str(file)).returncode == 6
    assert factory.run("funding", "export").returncode == 2
    file.write_text(file.read_text().replace("grant", "grunt", 1))
    spoilt = factory.run("funding", "check-export", str(file))
    assert spoilt.returncode == 10
    assert "not whole" in spoilt.stderr


def test_an_auditor_looks_by_a_link_until_it_is_ended(factory: Running) -> None:
    [made] = told(
        factory,
        "funding",
        "auditor-link",
        "--name",
        "A. Auditor",
        "--email",
        "a@audit.example",
        "--until",
        _soon(factory),
    )
    base, _, secret = str(made["link"]).partition("#")
    assert base.endswith("/auditor")
    with httpx.Client(trust_env=False, follow_redirects=True) as client:
        assert "For A. Auditor" in client.post(base, data={"secret": secret}).text
        assert "grant" in client.get(f"{base}/ledger").text
        [listed] = told(factory, "funding", "auditor-links")
        assert (listed["state"], listed["link"]) == ("open", "")
        said(factory, "funding", "auditor-links", "end", str(made["id"]))
        assert "For A. Auditor" not in client.get(f"{base}/ledger").text
    assert factory.run("funding", "auditor-links", "end", str(made["id"])).returncode == 6
    looks = [one["action"] for one in told(factory, "audit", "ls", "--person", str(made["id"]))]
    assert looks == ["auditor_link.looked", "auditor_link.looked", "auditor_link.entered"]


def _soon(factory: Running) -> str:
    """A day of this year, as the server sees it: when it granted its first money."""
    return str(told(factory, "funding", "contributions")[0]["applied_on"])
