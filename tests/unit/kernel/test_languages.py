import pytest

from fabriek.kernel.languages import read_words


def test_a_text_is_there_in_every_language() -> None:
    assert read_words({"en": "Bread", "nl": "Brood"}) == {"en": "Bread", "nl": "Brood"}


@pytest.mark.parametrize(
    "said",
    [
        "Bread",
        {},
        {"en": "Bread"},
        {"en": "Bread", "nl": ""},
        {"en": "Bread", "nl": 1},
        {"en": "a", "nl": "b", "de": "c"},
    ],
)
def test_a_text_that_lacks_one_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="en and nl"):
        read_words(said)
