"""How jobs name secrets, and what a value may be."""

import pytest

from fabriek.compute.requests import JobAsked, check
from fabriek.compute.secrets import secrets
from fabriek.compute.secrets.secrets import SecretUse, use_of
from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.secrets import SecretIn


@pytest.mark.parametrize(
    ("said", "use"),
    [
        ("TOKEN", SecretUse("TOKEN", "TOKEN")),
        ("TOKEN=HF_TOKEN", SecretUse("TOKEN", "HF_TOKEN")),
        ("KEY=file:id_rsa.pem", SecretUse("KEY", file="id_rsa.pem")),
    ],
)
def test_a_job_names_a_secret_and_where_it_finds_it(said: str, use: SecretUse) -> None:
    assert use_of(said) == use
    assert use.asked == said


@pytest.mark.parametrize(
    "said", ["", "=A", "A=", "A=B=C", "A-B", "A=file:", "A=file:../x", "A=file:a/b", "A=file:.x", "A\n", "é=A"]
)
def test_what_names_no_secret_is_refused_without_being_repeated(said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        use_of(said)
    assert not said or said not in refused.value.detail


@pytest.mark.parametrize("variable", ["LD_PRELOAD", "PATH", "SLURM_JOB_ID", "FABRIEK_OUTPUT", "MLFLOW_TRACKING_TOKEN"])
def test_a_secret_takes_no_variable_that_is_nobodys_to_set(variable: str) -> None:
    with pytest.raises(InvalidInput, match=variable):
        check(JobAsked(("true",), secrets=(use_of(f"TOKEN={variable}"),)))


@pytest.mark.parametrize("uses", [("A=X", "B=X"), ("A=file:x", "B=file:x"), ("A=TAKEN",)])
def test_two_things_in_one_place_are_refused(uses: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="two things"):
        check(JobAsked(("true",), secrets=tuple(map(use_of, uses)), environment={"TAKEN": "1"}))


def test_a_job_names_so_many_secrets_and_no_more() -> None:
    check(JobAsked(("true",), secrets=tuple(use_of(f"A=V{number}") for number in range(32))))
    with pytest.raises(InvalidInput, match="at most 32"):
        check(JobAsked(("true",), secrets=tuple(use_of(f"A=V{number}") for number in range(33))))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("A", ""),
        ("A", "can\0ary"),
        ("A", "canary" * 10_000),
        ("NOTIFY_KEY", "canary-short"),
        ("A-B", "canary"),
        ("", "canary"),
    ],
)
def test_a_value_that_cannot_be_one_is_refused_without_being_repeated(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        secrets.check(name, value)
    assert "canary" not in f"{refused.value.detail} {refused.value.fix}"


def test_nobody_sees_a_value_in_what_holds_it() -> None:
    wanted = SecretIn.model_validate({"name": "A", "value": "canary"})
    assert "canary" not in f"{wanted} {wanted!r} {wanted.model_dump_json()}"
