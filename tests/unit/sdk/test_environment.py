"""What the client reads from its surroundings, and that a token stays with its own factory."""

import stat
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput, NotAuthenticated
from fabriek.sdk.environment import Context, context_file, forget_context, read_context, save_context

HERE = Context("http://here:1", "token-here", "trees")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("FABRIEK_URL", "FABRIEK_TOKEN", "FABRIEK_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FABRIEK_CONTEXT", str(tmp_path / "config" / "context.json"))


def test_a_saved_context_is_read_back_by_its_owner_alone() -> None:
    file = save_context(HERE)
    assert read_context() == HERE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_context_that_others_could_read_is_replaced_by_one_they_cannot() -> None:
    file = context_file()
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o644)
    save_context(HERE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_variables_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    save_context(HERE)
    monkeypatch.setenv("FABRIEK_PROJECT", "other")
    assert read_context() == Context(HERE.url, HERE.token, "other")


def test_a_saved_token_never_goes_to_another_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    save_context(HERE)
    monkeypatch.setenv("FABRIEK_URL", "http://elsewhere:1")
    assert read_context() == Context("http://elsewhere:1", "", "")


def test_nothing_known_says_how_to_begin() -> None:
    with pytest.raises(NotAuthenticated) as refused:
        read_context()
    assert "fabriek up --quickstart" in refused.value.fix


def test_a_broken_file_names_itself() -> None:
    file = context_file()
    file.parent.mkdir()
    file.write_text("not json")
    with pytest.raises(InvalidInput) as refused:
        read_context()
    assert str(file) in refused.value.fix


def test_only_the_factory_that_stops_is_forgotten() -> None:
    save_context(HERE)
    forget_context("http://elsewhere:1")
    assert read_context() == HERE
    forget_context(HERE.url)
    assert not context_file().exists()
