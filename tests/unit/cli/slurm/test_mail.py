"""What scripts say of mail, as a notice."""

import pytest

from fabriek.cli.slurm.mail import notify_of
from fabriek.cli.slurm.sbatch import asked_of
from fabriek.kernel.errors import InvalidInput


@pytest.mark.parametrize(
    ("said", "notify"),
    [
        ("END", ["end:mail"]),
        ("BEGIN,FAIL", ["begin,fail:mail"]),
        ("ALL", ["begin,end:mail"]),
        ("end,fail", ["end:mail"]),
        ("NONE", []),
        ("TIME_LIMIT_80,REQUEUE", []),
        ("TIME_LIMIT_80,FAIL", ["fail:mail"]),
        ("", []),
    ],
)
def test_occasions_are_those_of_notify(said: str, notify: list[str]) -> None:
    assert notify_of({"mail-type": said}) == notify
    assert asked_of({"mail-type": said}, "").get("notify", []) == notify


def test_a_user_without_an_occasion_asks_for_nothing() -> None:
    assert "notify" not in asked_of({"mail-user": "olga@factory.example"}, "")


def test_an_occasion_that_sbatch_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Invalid --mail-type specification 'SOON'"):
        notify_of({"mail-type": "END,SOON"})
