"""The Hub's dialect, spoken by its own released client: for people below /hub/PROJECT, for a job on its socket's app."""

import hashlib
import http.client
import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from huggingface_hub import HfApi, RepoFile, RepoFolder, constants, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from fabriek.api.hub import routes as hub_routes
from fabriek.audit.log import facts_of
from fabriek.compute.requests import JobAsked
from fabriek.compute.store import SqlJobs
from fabriek.compute.terms import Network
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import Unavailable
from fabriek.lab.base_models.models import ModelFile, Revision
from fabriek.lab.base_models.service import BaseModels
from fabriek.sdk.facade import Fabriek
from tests.factories.base_models import a_model, safetensors
from tests.factories.services import Town


@dataclass(frozen=True)
class Door:
    """One project and the way into its hub, with the client as a person of the project has it."""

    town: Town
    server: str
    project: str
    person: Caller
    token: str

    @property
    def endpoint(self) -> str:
        return f"{self.server}/hub/{self.project}"

    @property
    def api(self) -> HfApi:
        return HfApi(endpoint=self.endpoint, token=self.token)

    def push(self, folder: Path, name: str = "tiny", **how: Any) -> Any:
        with Fabriek(self.server, self.token, self.project) as factory:
            return factory.base_models.push(folder, name, **how)

    def download(self, name: str, file: str, cache: Path, **how: Any) -> Path:
        how = {"endpoint": self.endpoint, "token": self.token} | how
        return Path(hf_hub_download(name, file, cache_dir=cache, **how))

    def raw(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.server, headers={"Authorization": f"Bearer {self.token}"}, trust_env=False, timeout=30
        )


@pytest.fixture
def door(town: Town, server: str) -> Door:
    person = town.person(f"hub{secrets.token_hex(4)}")
    project = town.project(person, gpu_hours=1)
    person = town.again(person)
    return Door(town, server, project, person, town.services.identity.issue_token(person.person, by=person))


def of_the_project(door: Door, **how: Any) -> tuple[str, str]:
    """A job of the project, and its token on the jobs' socket."""
    services = door.town.services
    asked = JobAsked(argv=("true",), **how)
    job = services.compute.submit(door.project, asked, by=door.person)
    ends = services.clock.now() + timedelta(hours=1)
    services.lab.open_run(job.project, "Default", job=job.id, label=job.label, person=job.person, name=job.name)
    return job.id, services.job_secrets.issue(job.id, job.project, "lab", ends)


def test_a_model_is_found_downloaded_and_kept_in_the_clients_cache(door: Door, tmp_path: Path) -> None:
    folder = a_model(tmp_path / "tiny")
    pushed = door.push(folder)
    assert pushed.new
    assert (pushed.licence, pushed.label, pushed.files, pushed.code) == ("apache-2.0", "internal", 4, False)

    found = door.api.model_info("tiny", files_metadata=True)
    assert (found.id, found.sha, found.pipeline_tag, found.library_name) == (
        "tiny", pushed.commit, "text-generation", "transformers",
    )  # fmt: skip
    assert found.card_data is not None
    assert found.card_data.license == "apache-2.0"
    assert set(found.tags or []) >= {"tiny", "nl", "license:apache-2.0"}
    assert found.siblings is not None
    sizes = {one.rfilename: one.size for one in found.siblings}
    assert sizes == {
        path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()
    }
    assert sorted(door.api.list_repo_files("tiny")) == sorted(sizes)

    snapshot = Path(snapshot_download("tiny", endpoint=door.endpoint, token=door.token, cache_dir=tmp_path / "cache"))
    assert snapshot.name == pushed.commit
    for path in sizes:
        assert (snapshot / path).read_bytes() == (folder / path).read_bytes()
    digest = hashlib.sha256(safetensors()).hexdigest()
    assert (tmp_path / "cache" / "models--tiny" / "blobs" / digest).read_bytes() == safetensors()
    # What is in the cache is not asked for again: its content may even be gone here.
    again = snapshot_download(
        "tiny", endpoint="http://127.0.0.1:9", cache_dir=tmp_path / "cache", local_files_only=True
    )
    assert again == str(snapshot)


def test_models_are_searched_by_name_author_tag_and_task_page_by_page(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tiny", "acme/Tiny-2", "acme/other"):
        door.push(a_model(tmp_path / "m"), name)
        door.town.clock.move(timedelta(minutes=1))
    names = lambda **how: [one.id for one in door.api.list_models(**how)]  # noqa: E731
    assert names() == ["acme/Tiny-2", "acme/other", "tiny"]
    assert names(search="TINY") == ["acme/Tiny-2", "tiny"]
    assert names(author="acme") == ["acme/Tiny-2", "acme/other"]
    assert names(filter=["license:apache-2.0", "nl"], limit=1) == ["acme/Tiny-2"]
    assert names(filter="license:mit") == []
    assert names(pipeline_tag="text-generation", sort="created_at", limit=2) == ["acme/other", "acme/Tiny-2"]
    assert names(pipeline_tag="image-classification") == []
    monkeypatch.setattr(hub_routes, "ENTRIES_MAX", 2)
    assert names() == ["acme/Tiny-2", "acme/other", "tiny"]
    assert len(names(limit=2)) == 2
    full = next(iter(door.api.list_models(full=True, search="other")))
    assert full.siblings is not None
    assert "model.safetensors" in {one.rfilename for one in full.siblings}
    assert full.author == "acme"


def test_a_tree_is_listed_by_folder_and_in_pages(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door.push(a_model(tmp_path / "m"), "acme/trees")
    top = {one.path: one for one in door.api.list_repo_tree("acme/trees")}
    assert set(top) == {"README.md", "config.json", "model.safetensors", "onnx"}
    assert isinstance(top["onnx"], RepoFolder)
    weights = top["model.safetensors"]
    assert isinstance(weights, RepoFile)
    assert weights.lfs is not None
    assert weights.lfs.sha256 == hashlib.sha256(safetensors()).hexdigest()
    assert [one.path for one in door.api.list_repo_tree("acme/trees", "onnx", expand=True)] == ["onnx/notes.txt"]
    monkeypatch.setattr(hub_routes, "ENTRIES_MAX", 2)
    every = ["README.md", "config.json", "model.safetensors", "onnx", "onnx/notes.txt"]
    assert [one.path for one in door.api.list_repo_tree("acme/trees", recursive=True)] == every
    infos = door.api.get_paths_info("acme/trees", ["config.json", "onnx", "nowhere", "../config.json"])
    assert [one.path for one in infos] == ["config.json", "onnx"]
    assert door.api.file_exists("acme/trees", "config.json")
    assert not door.api.file_exists("acme/trees", "config.yaml")
    with pytest.raises(RemoteEntryNotFoundError):
        list(door.api.list_repo_tree("acme/trees", "nowhere"))


def test_a_revision_stays_what_it_was(door: Door, tmp_path: Path) -> None:
    first = door.push(a_model(tmp_path / "m"))
    again = door.push(tmp_path / "m")
    assert (again.new, again.commit) == (False, first.commit)
    a_model(tmp_path / "m", weights=safetensors(begins=7.0))
    second = door.push(tmp_path / "m")
    tagged = door.push(tmp_path / "m", revision="v2")
    assert second.commit == tagged.commit != first.commit
    third = door.push(a_model(tmp_path / "n", weights=safetensors(begins=9.0)), revision="next")

    refs = door.api.list_repo_refs("tiny")
    assert {one.name: one.target_commit for one in refs.branches} == {
        "main": second.commit, "v2": second.commit, "next": third.commit,
    }  # fmt: skip
    for revision, begins in ((first.commit, 0.0), ("main", 7.0), ("v2", 7.0), ("next", 9.0)):
        file = door.download("tiny", "model.safetensors", tmp_path / "cache", revision=revision)
        assert file.read_bytes() == safetensors(begins=begins)
    assert door.api.model_info("tiny", revision=first.commit).sha == first.commit
    # Back to the first files is back to the first commit.
    a_model(tmp_path / "m", weights=safetensors())
    assert door.push(tmp_path / "m").commit == first.commit
    with pytest.raises(RevisionNotFoundError):
        door.api.model_info("tiny", revision="v3")
    with pytest.raises(RevisionNotFoundError):
        door.download("tiny", "config.json", tmp_path / "cache", revision="0" * 40)
    with pytest.raises(RemoteEntryNotFoundError):
        door.download("tiny", "nowhere.json", tmp_path / "cache")


def _broken() -> Iterator[bytes]:
    """A store that goes away in the middle of a file."""
    raise Unavailable("the store went away")
    yield b""


def test_a_download_that_broke_off_goes_on_where_it_was(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = safetensors(1_000_000)
    door.push(a_model(tmp_path / "m", weights=weights))
    asked: list[tuple[int, int]] = []
    plain = BaseModels.open

    def breaking(
        self: BaseModels, revision: Revision, file: ModelFile, start: int, stop: int, *, by: Caller
    ) -> Iterator[bytes]:
        pieces = plain(self, revision, file, start, stop, by=by)
        asked.append((start, stop))
        if len(asked) > 1:
            return pieces
        return itertools.chain([next(pieces)], _broken())

    monkeypatch.setattr(BaseModels, "open", breaking)
    # So that a small file will do: what came of a piece that broke off is thrown away, and a piece has ten megabytes.
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 2**16)
    file = door.download("tiny", "model.safetensors", tmp_path / "cache")
    assert file.read_bytes() == weights
    first, second = asked
    assert first == (0, len(weights))
    assert 0 < second[0] <= 2**20
    assert second[1] == len(weights)


def test_ranges_are_answered_as_http_says(door: Door, tmp_path: Path) -> None:
    weights = safetensors(100_000)
    door.push(a_model(tmp_path / "m", weights=weights, empty__txt=b""))
    url = f"/hub/{door.project}/tiny/resolve/main/model.safetensors"
    tag = f'"{hashlib.sha256(weights).hexdigest()}"'
    with door.raw() as client:
        head = client.head(url)
        assert (head.status_code, head.headers["etag"], head.headers["x-linked-etag"]) == (200, tag, tag)
        assert head.headers["content-length"] == head.headers["x-linked-size"] == str(len(weights))
        assert head.content == b""
        for header, begin, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=16380-16390", 16380, 16391),
            ("bytes=-5", len(weights) - 5, len(weights)),
        ):
            part = client.get(url, headers={"Range": header})
            assert (part.status_code, part.content) == (206, weights[begin:end])
            assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(weights)}"
        beyond = client.get(url, headers={"Range": f"bytes={len(weights)}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(weights)}")
        other = client.get(url, headers={"Range": "bytes=0-0", "If-Range": '"other"'})
        assert (other.status_code, other.content) == (200, weights)
        assert client.get(f"/hub/{door.project}/tiny/resolve/main/empty.txt").content == b""


def test_what_another_project_has_reads_as_what_nobody_has(door: Door, town: Town, tmp_path: Path) -> None:
    door.push(a_model(tmp_path / "m"))
    stranger = town.person(f"stranger{secrets.token_hex(4)}")
    own = town.project(stranger, gpu_hours=1)
    token = town.services.identity.issue_token(stranger.person, by=stranger)
    paths = ("api/models/{}", "api/models/{}/tree/main", "api/models/{}/refs", "{}/resolve/main/config.json")
    with httpx.Client(base_url=door.server, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
        for path in paths:
            answers = [
                client.get(f"/hub/{place}/{path.format('tiny')}") for place in (door.project, own, "no-such-project")
            ]
            assert {one.status_code for one in answers} == {404}
            assert {one.headers["x-error-code"] for one in answers} == {"RepoNotFound"}
            assert len({one.content for one in answers}) == 1
            assert len({tuple(sorted(set(one.headers) - {"x-request-id"})) for one in answers}) == 1
        assert client.get(f"/hub/{own}/api/models").json() == []
        assert client.get(f"/hub/{door.project}/api/models").status_code == 404
        assert client.get(f"/hub/{door.project}/api/whoami-v2").status_code == 404
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=door.endpoint, token=token).model_info("tiny")
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=door.endpoint, token=False).model_info("tiny")
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        HfApi(endpoint=door.endpoint, token="fab_nonsense").whoami()
    assert door.api.whoami()["type"] == "user"


def test_nothing_is_written_and_nothing_else_is_spoken(door: Door, tmp_path: Path) -> None:
    door.push(a_model(tmp_path / "m"))
    with pytest.raises(RepositoryNotFoundError):
        door.api.create_repo("mine")
    with pytest.raises(RepositoryNotFoundError):
        door.api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="tiny")
    with pytest.raises(RepositoryNotFoundError):
        door.api.dataset_info("tiny")
    with pytest.raises(RepositoryNotFoundError):
        door.api.delete_repo("tiny")
    assert door.api.model_info("tiny").id == "tiny"


TRAVERSALS = [
    "../config.json", "%2e%2e/config.json", "..%2fconfig.json", "%2e%2e%2fconfig.json", "%252e%252e%252fconfig.json", "./config.json",
    "onnx/../config.json", "onnx/%2e%2e/config.json", "/config.json", "//etc/passwd", "%2fetc%2fpasswd", "..\\config.json",
    "..%5cconfig.json", "config.json/", "config.json%00.txt", "%c0%ae%c0%ae/config.json", "C:/config.json", "file:///etc/passwd",
]  # fmt: skip


def test_no_spelling_of_a_path_leads_elsewhere(door: Door, tmp_path: Path) -> None:
    door.push(a_model(tmp_path / "m"))
    place = urlsplit(door.server)
    for path in TRAVERSALS:
        for prefix in (f"/hub/{door.project}/tiny/resolve/main", f"/hub/{door.project}/api/models/tiny/tree/main"):
            # Not through a client, which would tidy the path first.
            line = http.client.HTTPConnection(str(place.hostname), place.port or 80, timeout=30)
            line.request("GET", f"{prefix}/{path}", headers={"Authorization": f"Bearer {door.token}"})
            answer = line.getresponse()
            said = answer.read()
            line.close()
            assert answer.status in {400, 404}, (path, answer.status, said)
            assert b"model_type" not in said, path
            assert b"root:" not in said, path


def test_a_job_reads_the_models_of_its_project_and_carries_their_label_from_then_on(
    door: Door, job_server: str, tmp_path: Path
) -> None:
    services = door.town.services
    pushed = door.push(a_model(tmp_path / "m"), "acme/secret", label="confidential-business")
    job, token = of_the_project(door)
    assert services.compute.get(door.project, job, by=door.person).label == "open"
    client = HfApi(endpoint=f"{job_server}/hub", token=token)
    assert client.whoami()["name"] == job
    assert [one.id for one in client.list_models()] == ["acme/secret"]
    # To know of it is not to read it.
    assert services.compute.get(door.project, job, by=door.person).label == "open"
    how = {"endpoint": f"{job_server}/hub", "token": token, "cache_dir": tmp_path / "cache"}
    snapshot = Path(snapshot_download("acme/secret", **how))
    assert (snapshot / "model.safetensors").read_bytes() == safetensors()
    found = services.compute.get(door.project, job, by=door.person)
    assert found.label == "confidential-business"
    (run,) = services.lab.search(found.project, [], filter_text="", order_by=[], by=door.person)
    assert run.run.label == "confidential-business"
    ((name, commit, sha256, *rest),) = services.base_models.of_job(job)
    assert (name, commit, sha256[:40], rest) == (
        "acme/secret", pushed.commit, pushed.commit, ["apache-2.0", "confidential-business"],
    )  # fmt: skip
    with pytest.raises(RepositoryNotFoundError):
        client.model_info("tiny")
    # Its token is good on the jobs' socket alone, and a person's is not good there.
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(endpoint=door.endpoint, token=token).model_info("acme/secret")
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(endpoint=f"{job_server}/hub", token=door.token).model_info("acme/secret")


def test_a_job_that_could_carry_it_out_may_not_read_it(
    town: Town, server: str, job_server: str, tmp_path: Path
) -> None:
    services = town.services
    person = town.person(f"hub{secrets.token_hex(4)}")
    project = town.project(person, gpu_hours=1)
    person = town.again(person)
    door = Door(town, server, project, person, services.identity.issue_token(person.person, by=person))
    door.push(a_model(tmp_path / "m"))
    job, token = of_the_project(door)
    found = services.compute.get(door.project, job, by=person)
    # As if the operator had let it reach the network.
    jobs = SqlJobs(services.database)
    with jobs.transaction():
        jobs.save(replace(found, terms=replace(found.terms, network=Network.HOST)))
    how = {"endpoint": f"{job_server}/hub", "token": token, "cache_dir": tmp_path / "cache"}
    with pytest.raises(GatedRepoError):
        hf_hub_download("tiny", "config.json", **how)
    with pytest.raises(GatedRepoError):
        snapshot_download("tiny", **how)
    answer = httpx.head(
        f"{job_server}/hub/tiny/resolve/main/config.json", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    assert answer.headers["x-error-message"].startswith(
        "a job that reaches the network may read nothing above open, and this one reads internal"
    )
    assert services.compute.get(door.project, job, by=person).label == "open"
    assert services.base_models.of_job(job) == ()


def test_who_takes_a_revision_away_is_on_record_once_a_day(door: Door, tmp_path: Path) -> None:
    pushed = door.push(a_model(tmp_path / "m"))
    for number in range(2):
        snapshot_download("tiny", endpoint=door.endpoint, token=door.token, cache_dir=tmp_path / f"cache{number}")
    events = door.town.services.audit.events(by=door.town.operator, limit=50, subject=pushed.commit).items
    home = door.town.services.access.project(door.project).id
    mine = [one.action for one in events if facts_of(one)["project"] == home]
    assert sorted(mine) == ["base_model.pushed", "base_model.taken"]
