"""Names are compared as indexes compare them, and a name that is easily taken for another is seen."""

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.packages.names import alike, normalised, read_pinned, same_version


def test_spellings_of_one_name_are_one() -> None:
    assert {normalised(one) for one in ("Foo.Bar", "foo_bar", "foo-bar", "FOO-_.bar")} == {"foo-bar"}


@pytest.mark.parametrize(
    "text", ["polars", "polars==", "==1.0", "polars>=1", "polars==1.*", "../x==1", "polars==1 --index x", ""]
)
def test_what_names_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_pinned(text)


def test_a_version_is_read_with_its_name() -> None:
    assert str(read_pinned(" Scikit_Learn == 1.5.0rc1 ")) == "scikit-learn==1.5.0rc1"


@pytest.mark.parametrize(("one", "other", "same"), [("1.0", "1.0.0", True), ("v1", "1", True), ("1.0+CU_1", "1+cu.1", True),
                                                    ("1.10", "1.1", False), ("1.0rc1", "1.0", False)])  # fmt: skip
def test_versions_are_compared_by_what_they_mean(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert same_version(one, other) is same


@pytest.mark.parametrize("name", ["reqeusts", "request", "requestss", "r-equests", "requasts"])
def test_a_slip_away_from_requests_is_seen(name: str) -> None:
    assert alike(name, "requests")


@pytest.mark.parametrize("name", ["requests", "httpx", "requests-cache", "rich"])
def test_other_names_are_other_names(name: str) -> None:
    assert not alike(name, "requests")
