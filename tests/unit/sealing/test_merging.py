"""What several members leave, as one version."""

from fabriek.sealing.manifest import File, Manifest, make_manifest
from fabriek.sealing.merging import merged


def a_part(**files: str) -> Manifest:
    """By name, `__` standing for a slash; the text is the hash."""
    return make_manifest(File(name.replace("__", "/"), 0o644, 0, text) for name, text in files.items())


def shown(parts: dict[int, Manifest]) -> tuple[dict[str, str], tuple[str, ...]]:
    whole, apart = merged(parts)
    return {file.path: file.sha256 for file in whole.files}, apart


def test_parts_that_have_nothing_in_common_are_one_tree() -> None:
    assert shown({0: a_part(a="1", d__b="2"), 1: a_part(d__c="3")}) == ({"a": "1", "d/b": "2", "d/c": "3"}, ())


def test_the_same_content_at_the_same_path_is_one_file() -> None:
    assert shown({1: a_part(a="1"), 0: a_part(a="1")}) == ({"a": "1"}, ())


def test_where_contents_differ_the_first_members_stays_and_the_others_are_kept_apart() -> None:
    files, apart = shown({0: a_part(a="1"), 1: a_part(a="2"), 2: a_part(a="1"), 3: a_part(a="3")})
    assert files == {"a": "1", "member-1/a": "2", "member-3/a": "3"}
    assert apart == ("a",)


def test_a_file_where_another_has_a_folder_is_kept_apart_either_way() -> None:
    assert shown({0: a_part(a="1"), 1: a_part(a__b="2")}) == ({"a": "1", "member-1/a/b": "2"}, ("a/b",))
    assert shown({0: a_part(a__b="1"), 1: a_part(a="2")}) == ({"a/b": "1", "member-1/a": "2"}, ("a",))


def test_a_folder_of_that_name_that_a_job_left_itself_loses_nothing() -> None:
    files, _ = shown(
        {0: make_manifest([File("a", 0o644, 0, "1"), File("member-1/a", 0o644, 0, "own")]), 1: a_part(a="2")}
    )
    assert files == {"a": "1", "member-1/a": "own", "member-1_/a": "2"}
