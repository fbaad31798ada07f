"""Names, paths and commits of base models."""

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.lab.base_models.models import (
    FILE_BYTES_MAX,
    ModelFile,
    check_branch,
    check_files,
    check_name,
    commit_of,
    digest_of,
    is_commit,
)

SHA = "a" * 64


@pytest.mark.parametrize("name", ["gpt2", "acme/gpt2", "Acme-1/Model_2.0", "a", "x" * 96])
def test_names_as_the_clients_take_them(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "a/", "/a", "a/b/c", "a--b", "a..b", "../a", ".a", "a.", "-a", "a-", "a b", "café", "a\n", "a\0", "x" * 97, "a.git", "a.ipynb",
        "acme/resolve", "api", "datasets/a", "models/a", "a%2fb", "a\\b",
    ],
)  # fmt: skip
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_name(name)


def test_a_branch_is_not_taken_for_a_commit() -> None:
    for branch in ("main", "v1.0", "release-2", "fp16", "abc"):
        assert check_branch(branch) == branch
    for branch in ("", "a/b", "..", "a..b", ".a", "deadbeef", "0" * 40, "DEADBEEF", "a b", "refs/pr/1", "x" * 101):
        with pytest.raises(InvalidInput):
            check_branch(branch)
    assert is_commit("0" * 40)
    assert not is_commit("main")


@pytest.mark.parametrize(
    "path",
    [
        "", "/", ".", "..", "../a", "a/../b", "a/..", "./a", "a/./b", "/etc/passwd", "//a", "a//b", "a/", "a\\b", "..\\a", "C:/a", "C:a", "a\0b",
        "a\nb", "%2e%2e/a", "..%2fa", "%252e%252e%252fa", "a%2f..%2fb", "a%00", "~/.ssh/../a", " a", "a ", "a.", ".git/config", "a/.GIT/hooks/x",
        "a:b", "a|b", "a*", "\u202ea", "x" * 401, "\ufeffa",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder_that_a_client_makes(path: str) -> None:
    with pytest.raises(InvalidInput):
        check_files([ModelFile(path, SHA, 1)])


def test_files_are_a_folder_of_files() -> None:
    check_files([ModelFile("a", SHA, 0), ModelFile("b/c.json", SHA, FILE_BYTES_MAX), ModelFile("b/naïve.txt", SHA, 1)])
    for wrong in (
        [],
        [ModelFile("a", SHA, 1), ModelFile("a", SHA, 1)],
        [ModelFile("a", SHA, 1), ModelFile("a/b", SHA, 1)],
        [ModelFile("a", SHA, -1)],
        [ModelFile("a", SHA, FILE_BYTES_MAX + 1)],
        [ModelFile("a", "A" * 64, 1)],
        [ModelFile("a", "abc", 1)],
        [ModelFile(str(number), SHA, 1) for number in range(10_001)],
    ):
        with pytest.raises(InvalidInput):
            check_files(wrong)


def commit(licence: str, files: list[ModelFile]) -> str:
    return commit_of(digest_of(licence, files))


def test_a_commit_is_what_it_holds() -> None:
    files = [ModelFile("a", SHA, 1), ModelFile("b", SHA, 2)]
    made = commit("mit", files)
    assert is_commit(made)
    assert commit("mit", files[::-1]) == made
    others = {
        commit("apache-2.0", files),
        commit("mit", files[:1]),
        commit("mit", [ModelFile("a", SHA, 1), ModelFile("c", SHA, 2)]),
        commit("mit", [ModelFile("a", "b" * 64, 1), files[1]]),
        commit("mit", [ModelFile("a", SHA, 1, is_code=True), files[1]]),
    }
    assert len(others) == 5
    assert made not in others
