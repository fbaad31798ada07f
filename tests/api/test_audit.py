"""The log over HTTP: who may read what, in which form, and that a client verifies it by itself."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from click.testing import CliRunner
from fastapi import FastAPI

from fabriek.api import audit as api
from fabriek.cli import audit as cli
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import AlreadyExists, InvalidInput, NotAuthenticated, NotPermitted
from fabriek.kernel.tlog.tree import leaf_hash
from fabriek.sdk.audit import Audit, trust_of, verify_file
from fabriek.sdk.audit_pins import pins_file, read_pins
from fabriek.sdk.client import Client
from fabriek.web import problems
from fabriek.web.router import refuse_undeclared
from tests.factories.audit import AUDITOR, SOMEBODY, an_audit, write
from tests.servers.app import serving

READER = {"Authorization": "Bearer auditor"}
MEMBER = {"Authorization": "Bearer member"}


class Doors:
    """Two tokens."""

    def caller_of(self, token: str) -> Caller:
        if token not in {"auditor", "member"}:
            raise NotAuthenticated("no such token")
        return AUDITOR if token == "auditor" else SOMEBODY


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[FastAPI, str]]:
    app = FastAPI(openapi_url=None)
    app.router.routes.extend(api.router.routes)
    refuse_undeclared(app)
    problems.install(app, lambda request, error: problems.problem_response(error, ""))
    with serving(app) as url:
        yield app, url


@pytest.fixture
def app(served: tuple[FastAPI, str]) -> FastAPI:
    audit = an_audit()
    write(audit, 300)
    audit.sequence()
    served[0].state.factory = SimpleNamespace(audit=audit, access=Doors(), identity=Doors())
    return served[0]


@pytest.fixture
def http(app: FastAPI, served: tuple[FastAPI, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], trust_env=False) as client:
        yield client


@pytest.fixture
def sdk(http: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Audit]:
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "context.json"))
    client = Client(str(http.base_url), "auditor")
    yield Audit(client)
    client.close()


PRIVATE = ["/api/v1/audit/events", "/api/v1/audit/export", "/audit/tile/entries/000", "/audit/tile/entries/001.p/44"]
PUBLIC = [
    "/api/v1/audit/checkpoint",
    "/audit/checkpoint",
    "/audit/tile/0/000",
    "/audit/tile/0/001.p/44",
    "/audit/tile/1/000.p/1",
]


@pytest.mark.parametrize("path", PRIVATE)
def test_who_did_what_is_for_readers_of_the_log_only(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 401
    assert http.get(path, headers=MEMBER).status_code == 403
    assert http.get(path, headers=READER).status_code == 200


@pytest.mark.parametrize("path", PUBLIC)
def test_checkpoints_and_hashes_are_for_everybody_and_hold_no_id(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 200
    assert b"per_1" not in answer.content


@pytest.mark.parametrize(
    "path",
    ["/audit/tile/0/001", "/audit/tile/0/001.p/45", "/audit/tile/0/000.p/256", "/audit/tile/0/1", "/audit/tile/64/000",
     "/audit/tile/-1/000",
     "/audit/tile/2/000.p/1",
     "/audit/tile/0/..%2f..%2fcheckpoint", "/audit/tile/0/x999/x999/x999/999", "/audit/tile/entries/002", "/audit/tile/entries/nonsense"],
)  # fmt: skip
def test_a_tile_beyond_the_checkpoint_or_of_another_spelling_is_not_there(http: httpx.Client, path: str) -> None:
    assert http.get(path, headers=READER).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/audit/tile/abc/000",
        "/api/v1/audit/events?limit=0",
        "/api/v1/audit/events?limit=1001",
        "/api/v1/audit/events?cursor=forged",
        "/api/v1/audit/events?subject=" + "x" * 201,
    ],
)
def test_malformed_questions_are_invalid_input(http: httpx.Client, path: str) -> None:
    assert http.get(path, headers=READER).status_code == 422


def test_tiles_are_what_a_witness_of_any_make_expects(http: httpx.Client) -> None:
    assert http.get("/audit/checkpoint").headers["content-type"] == "text/plain; charset=utf-8"
    tile = http.get("/audit/tile/0/001.p/44")
    assert (tile.headers["content-type"], len(tile.content)) == ("application/octet-stream", 44 * 32)
    assert "immutable" in tile.headers["cache-control"]
    bundle = http.get("/audit/tile/entries/001.p/44", headers=READER)
    assert bundle.headers["cache-control"].startswith("private")
    length = int.from_bytes(bundle.content[:2], "big")
    assert leaf_hash(bundle.content[2 : 2 + length]) == tile.content[:32]


def test_events_come_with_their_facts_parsed(sdk: Audit) -> None:
    page = sdk.events(limit=1)
    assert (page.items[0].subject, page.items[0].facts) == ("job_299", {"purpose": "civilian", "held_micro": 299})
    assert sdk.events(limit=1, cursor=page.next_cursor).items[0].subject == "job_298"
    assert [event.subject for event in sdk.events(subject="job_7").items] == ["job_7"]


def test_the_first_verification_takes_the_key_from_the_log_and_the_next_one_knows_it(sdk: Audit) -> None:
    first, second = sdk.verify(), sdk.verify()
    assert (first.consistent, first.key_from, first.entries, first.pending) == (True, "log", 301, [])
    assert (second.consistent, second.key_from, second.entries) == (True, "pinned", 302)
    assert pins_file().stat().st_mode & 0o777 == 0o600


def test_another_key_at_the_same_address_is_refused_until_it_is_accepted(sdk: Audit, app: FastAPI) -> None:
    sdk.verify()
    known = read_pins()
    other = an_audit(seed=b"another installation")
    app.state.factory.audit = other
    outcome = sdk.verify()
    assert not outcome.consistent
    assert outcome.findings[0].startswith("the log is signed by another key")
    assert read_pins() == known
    assert sdk.verify(accept_new_key=True).consistent
    assert sdk.verify().key == str(other.key)


def test_a_past_that_was_rewritten_and_signed_again_is_refused(sdk: Audit, app: FastAPI) -> None:
    sdk.verify()
    forged = an_audit()
    write(forged, 299)
    forged.record("job.cancelled", "job_299", SOMEBODY)
    write(forged, 10)
    app.state.factory.audit = forged
    outcome = sdk.verify()
    assert outcome.findings == [
        "the first 301 entries are not those of the checkpoint that was kept: the log was rewritten"
    ]
    assert outcome.says.startswith("NOT consistent")


def test_an_export_is_verified_with_no_server(sdk: Audit, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    assert sdk.export(file) == file.stat().st_size
    assert verify_file(file).key_from == "log"
    sdk.verify()
    assert verify_file(file).key_from == "pinned"
    assert verify_file(file, trust=trust_of(sdk.checkpoint().key)).key_from == "given"
    with pytest.raises(AlreadyExists):
        sdk.export(file)


def test_an_export_that_a_refusal_cut_short_leaves_no_file(http: httpx.Client, tmp_path: Path) -> None:
    client = Client(str(http.base_url), "member")
    with pytest.raises(NotPermitted):
        Audit(client).export(tmp_path / "audit.jsonl")
    client.close()
    assert list(tmp_path.iterdir()) == []


def test_pins_that_were_damaged_are_not_quietly_forgotten(sdk: Audit) -> None:
    sdk.verify()
    pins_file().write_text("{")
    with pytest.raises(InvalidInput):
        sdk.verify()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.audit, list(arguments), standalone_mode=False)
    assert result.exception is None, result.exception
    return result.return_value or 0, result.output


def test_the_command_verifies_offline_and_leaves_with_10_when_an_entry_was_changed(sdk: Audit, tmp_path: Path) -> None:
    file, kept = tmp_path / "audit.jsonl", tmp_path / "kept.txt"
    kept.write_text(sdk.checkpoint().note)
    sdk.export(file)
    code, said = run("verify", "--bundle", str(file), "--kept", str(kept))
    assert code == 0
    assert "301 entries: internally consistent, not witnessed" in said
    file.write_text(file.read_text().replace('job_17\\"', 'job_18\\"'))
    code, said = run("verify", "--bundle", str(file))
    assert code == 10
    assert "NOT consistent: entry 17 (evt_18) is not what was logged" in said
    code, said = run("verify", "--bundle", str(file), "--json")
    assert code == 10
    assert json.loads(said)["findings"] == ["entry 17 (evt_18) is not what was logged"]


def test_a_file_that_is_no_export_or_not_there_is_invalid_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "context.json"))
    (tmp_path / "other").write_bytes(b"\xff\xfe\x00")
    for name in ("other", "absent"):
        with pytest.raises(InvalidInput):
            verify_file(tmp_path / name)
    with pytest.raises(InvalidInput):
        trust_of(kept=[tmp_path / "absent"])
    with pytest.raises(InvalidInput):
        trust_of("not a key")
