"""Base models on both databases: what may come in and what may not, sealed, once, under a label that only rises."""

import hashlib
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fabriek.adapters.database import Database
from fabriek.compute.requests import JobAsked
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.lab.base_models.models import CARD, ModelFile, NoSuchModel, NoSuchRevision, Pushed, Revision
from fabriek.lab.base_models.service import UNUSED_FOR, BaseModels
from tests.factories.base_models import CARD as CARD_TEXT
from tests.factories.base_models import safetensors
from tests.factories.services import Town, a_town
from tests.factories.threads import at_once

WEIGHTS = safetensors()
PICKLE = b"\x80\x02}q\x00."


@dataclass(frozen=True)
class Shop:
    """A project, and somebody who brings models into it."""

    town: Town
    by: Caller
    project: str

    @property
    def models(self) -> BaseModels:
        return self.town.services.base_models

    def push(self, files: dict[str, bytes] | None = None, **how: Any) -> tuple[Revision, bool]:
        """Everything that `fabriek model push` does."""
        pushed = a_push(files, **how)
        by = how.get("by", self.by)
        given = {hashlib.sha256(content).hexdigest(): content for content in contents(files).values()}
        for sha256 in self.models.plan(self.project, pushed, by=by).missing:
            self.models.take(
                self.project, pushed.name, sha256, len(given[sha256]), [given[sha256]], allow_code=pushed.allow_code, by=by
            )  # fmt: skip
        return self.models.push(self.project, pushed, by=by)

    def objects(self) -> list[Path]:
        return [one for one in (self.town.services.settings.home / "objects").rglob("*") if one.is_file()]


def contents(files: dict[str, bytes] | None) -> dict[str, bytes]:
    return {CARD: CARD_TEXT.encode(), "model.safetensors": WEIGHTS} if files is None else files


def a_push(files: dict[str, bytes] | None = None, **how: Any) -> Pushed:
    held = contents(files)
    listed = tuple(ModelFile(path, hashlib.sha256(one).hexdigest(), len(one)) for path, one in held.items())
    how.pop("by", None)
    like = Pushed("tiny", "main", "", "", allow_code=False, card=held.get(CARD, b"").decode(), files=listed)
    return replace(like, **how)


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    town = a_town(database, tmp_path / "home")
    person = town.person("lab")
    slug = town.project(person)
    return Shop(town, town.again(person), town.services.access.project(slug).id)


def test_what_comes_in_is_sealed_once_and_the_same_again_is_nothing_new(shop: Shop) -> None:
    canary = b"a word that stands nowhere else" * 10
    files = {CARD: CARD_TEXT.encode(), "model.safetensors": WEIGHTS, "notes.txt": canary, "copy.txt": canary}
    revision, is_new = shop.push(files)
    assert is_new
    assert (revision.licence, revision.files, revision.has_code) == ("apache-2.0", 4, False)
    assert len(shop.objects()) == 3
    assert not any(canary[:31] in one.read_bytes() for one in shop.objects())
    again, is_new = shop.push(files)
    assert not is_new
    assert again == revision
    assert len(shop.objects()) == 3
    model = shop.models.get(shop.project, "tiny", by=shop.by)
    assert model.branches == {"main": revision.commit}
    found, file = shop.models.file(shop.project, "tiny", "main", "notes.txt", by=shop.by)
    assert b"".join(shop.models.open(found, file, 2, 40, by=shop.by)) == canary[2:40]
    with pytest.raises(NoSuchRevision):
        shop.models.revision(shop.project, "tiny", "other", by=shop.by)
    with pytest.raises(NoSuchModel):
        shop.models.get(shop.project, "other", by=shop.by)


def test_without_a_licence_nothing_comes_in(shop: Shop) -> None:
    bare = {CARD: b"# Tiny\n", "model.safetensors": WEIGHTS}
    with pytest.raises(InvalidInput, match="nobody says under which licence") as refused:
        shop.push(bare)
    assert "--licence NAME" in refused.value.fix
    assert shop.objects() == []
    with pytest.raises(InvalidInput, match=r"the card says apache-2\.0, and --licence says mit"):
        shop.push(licence="mit")
    assert shop.push(bare, licence="mit")[0].licence == "mit"
    assert shop.push(licence="Apache-2.0")[0].licence == "apache-2.0"
    assert shop.push({"model.safetensors": WEIGHTS}, licence="cc0-1.0", name="other")[0].card == ""


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("pytorch_model.bin", b"whatever", "it is unpickled"),
        ("adapter.PT", b"whatever", "it is unpickled"),
        ("data.pkl", b"whatever", "by its name"),
        ("weights.dat", PICKLE, "a pickle runs"),
        ("modeling_tiny.py", b"print('hello')", "by its name"),
        ("start", b"#!/bin/sh\n", "it is a program"),
        ("model.keras", b"whatever", "by its name"),
        ("archive", b"PK\x03\x04whatever", "may hold programs"),
    ],
)
def test_what_runs_when_it_is_loaded_comes_in_only_with_a_mark(shop: Shop, path: str, content: bytes, why: str) -> None:
    files = {CARD: CARD_TEXT.encode(), path: content}
    with pytest.raises(NotPermitted, match=why) as refused:
        shop.push(files)
    assert refused.value.fields["rule"] == "model.code"
    assert "--allow-code" in refused.value.fix
    revision, _ = shop.push(files, allow_code=True)
    assert revision.has_code
    marks = {one.path: one.is_code for one in shop.models.files(revision, by=shop.by)}
    assert marks == {CARD: False, path: True}


def test_a_pickle_under_another_name_is_seen_at_its_first_bytes(shop: Shop) -> None:
    """Before the rest of it has come, and nothing of it is kept."""
    came = 0

    def pieces() -> Iterator[bytes]:
        nonlocal came
        for piece in (PICKLE, *[b"\0" * 100_000] * 100):
            came += len(piece)
            yield piece

    digest = hashlib.sha256(PICKLE + b"\0" * 10_000_000).hexdigest()
    size = len(PICKLE) + 10_000_000
    with pytest.raises(NotPermitted, match="a pickle runs"):
        shop.models.take(shop.project, "tiny", digest, size, pieces(), allow_code=False, by=shop.by)
    assert came < 1_000_000
    assert shop.objects() == []


def test_a_file_that_is_not_what_its_name_says_is_refused(shop: Shop) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"
    with pytest.raises(InvalidInput, match="is not in the format safetensors") as refused:
        shop.push({CARD: CARD_TEXT.encode(), "model.safetensors": pointer})
    assert "pointer of Git LFS" in refused.value.fix
    with pytest.raises(NotPermitted, match="a pickle runs"):
        shop.push({CARD: CARD_TEXT.encode(), "model.safetensors": PICKLE})
    with pytest.raises(InvalidInput, match="is not in the format safetensors"):
        shop.push({CARD: CARD_TEXT.encode(), "model.safetensors": safetensors(9)[:-1]})


def test_weights_that_begin_as_a_pickle_would_are_weights(shop: Shop) -> None:
    """The length of a header is the first thing in safetensors; some lengths are the sign of a pickle."""
    for length in (0x280, 0x380, 0x480, 0x580):
        weights = safetensors(3, header_bytes=length)
        assert weights[0] == PICKLE[0]
        assert not shop.push({CARD: CARD_TEXT.encode(), "model.safetensors": weights})[0].has_code


def test_what_arrives_must_be_what_was_announced(shop: Shop) -> None:
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    for chunks, size in (
        ([WEIGHTS[:-1]], len(WEIGHTS)),
        ([WEIGHTS, b"x"], len(WEIGHTS)),
        ([b"x" * len(WEIGHTS)], len(WEIGHTS)),
    ):
        with pytest.raises(InvalidInput):
            shop.models.take(shop.project, "tiny", digest, size, chunks, allow_code=False, by=shop.by)
    assert shop.objects() == []
    with pytest.raises(InvalidInput, match="has not arrived"):
        shop.models.push(shop.project, a_push(), by=shop.by)
    with pytest.raises(InvalidInput, match=r"the card is not what README\.md holds"):
        shop.models.plan(shop.project, a_push(card="---\nlicense: mit\n---\n"), by=shop.by)
    shop.push()
    with pytest.raises(InvalidInput, match="has not arrived"):
        shop.models.push(shop.project, a_push(name="other"), by=shop.by)


def test_a_large_file_is_never_whole_in_memory(shop: Shop) -> None:
    piece, count = b"\0" * 2**20, 64
    digest = hashlib.sha256(piece * count).hexdigest()
    tracemalloc.start()
    try:
        shop.models.take(
            shop.project, "tiny", digest, len(piece) * count, (piece for _ in range(count)), allow_code=False, by=shop.by
        )  # fmt: skip
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 2**20


def test_a_label_rises_and_never_falls(shop: Shop) -> None:
    assert shop.models.plan(shop.project, a_push(), by=shop.by).label == "internal"
    shop.push()
    with pytest.raises(NotPermitted) as refused:
        shop.push(label="open")
    assert refused.value.fields["rule"] == "label.lowering"
    revision, is_new = shop.push(label="confidential-business")
    assert is_new
    model = shop.models.get(shop.project, "tiny", by=shop.by)
    assert (model.label, model.branches) == ("confidential-business", {"main": revision.commit})
    assert not shop.push()[1]
    assert shop.models.get(shop.project, "tiny", by=shop.by).label == "confidential-business"
    with pytest.raises(NotPermitted) as refused:
        shop.push(label="internal")
    assert refused.value.fields["rule"] == "label.lowering"
    with pytest.raises(NotPermitted) as refused:
        shop.push(label="personal")
    assert refused.value.fields["rule"] == "model.agreement"
    with pytest.raises(InvalidInput, match="there is no label"):
        shop.push(label="nonsense")


def test_only_who_may_write_brings_models_in_and_only_members_see_them(shop: Shop) -> None:
    shop.push()
    stranger = shop.town.person("startup")
    for act in (
        lambda: shop.push(by=stranger),
        lambda: shop.models.all(shop.project, by=stranger),
        lambda: shop.models.get(shop.project, "tiny", by=stranger),
        lambda: shop.models.take(shop.project, "tiny", "0" * 64, 1, [b"x"], allow_code=False, by=stranger),
        lambda: shop.models.push(shop.project, a_push(), by=stranger),
    ):
        with pytest.raises(NotPermitted):
            act()
    job = replace(shop.by, job="job_x", project_rights={shop.project: frozenset({"lab.view"})})
    with pytest.raises(NotPermitted):
        shop.push(by=job)


def test_two_who_push_the_same_at_once_make_one_revision(shop: Shop) -> None:
    done = at_once(lambda _: shop.push(), times=4)
    commits = {one[0].commit for one in done if isinstance(one, tuple)}
    assert len(commits) == 1
    assert [one for one in done if isinstance(one, tuple) and one[1]] != []
    assert len(shop.objects()) == 2


def test_what_no_revision_ever_named_goes_after_a_week(shop: Shop) -> None:
    shop.models.take(
        shop.project, "never-pushed", hashlib.sha256(b"left").hexdigest(), 4, [b"left"], allow_code=False, by=shop.by
    )
    shop.push()
    assert len(shop.objects()) == 3
    shop.town.clock.move(UNUSED_FOR + timedelta(seconds=1))
    shop.push({CARD: CARD_TEXT.encode(), "other.safetensors": WEIGHTS})
    assert len(shop.objects()) == 2


def test_a_model_that_is_removed_is_gone_with_its_keys_and_may_come_again(shop: Shop) -> None:
    shop.push()
    revision, _ = shop.push({CARD: CARD_TEXT.encode(), "other.safetensors": safetensors(5)})
    submitted = shop.town.services.compute.submit(shop.project, JobAsked(("true",)), by=shop.by)
    job = replace(shop.by, job=submitted.id)
    found, file = shop.models.file(shop.project, "tiny", "main", "other.safetensors", by=job)
    assert b"".join(shop.models.open(found, file, 0, file.size, by=job)) == safetensors(5)
    with pytest.raises(NotPermitted):
        shop.models.remove(
            shop.project, "tiny", by=replace(shop.by, project_rights={shop.project: frozenset({"lab.write"})})
        )
    shop.models.remove(shop.project, "tiny", by=shop.by)
    assert shop.objects() == []
    with pytest.raises(NoSuchModel):
        shop.models.revision(shop.project, "tiny", revision.commit, by=shop.by)
    with pytest.raises(NoSuchModel):
        shop.models.remove(shop.project, "tiny", by=shop.by)
    ((name, commit, sha256, licence, label),) = shop.models.of_job(job.job)
    assert (name, commit, sha256[:40], licence, label) == ("tiny", revision.commit, commit, "apache-2.0", "internal")
    again, is_new = shop.push()
    assert is_new
    with pytest.raises(NoSuchRevision):
        shop.models.revision(shop.project, "tiny", revision.commit, by=shop.by)
    assert shop.models.file(shop.project, "tiny", again.commit, CARD, by=shop.by)[0] == again
