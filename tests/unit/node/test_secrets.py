"""Where a job finds its secrets, within walls and without, and that nothing of ours is theirs to set."""

import sys
from pathlib import Path

import pytest

from fabriek.kernel.errors import InvalidInput
from fabriek.node.bare import Bare
from fabriek.node.room import Room
from fabriek.node.secrets import in_files, in_variables
from fabriek.node.variables import variables_of
from fabriek.schemas.node import JobSpec, SecretSpec
from tests.factories.executor import a_spec

GIVEN = {"TOKEN": "canary", "KEY": "a key\nof lines"}
NAMED = (SecretSpec("TOKEN", "HF_TOKEN"), SecretSpec("TOKEN", "AGAIN"), SecretSpec("KEY", file="id_key"))


def test_each_stands_where_it_was_asked_for(tmp_path: Path) -> None:
    job, room = a_spec(secrets=NAMED), Room(tmp_path)
    variables = variables_of(job, in_variables(job, GIVEN))
    in_files(job, GIVEN, room, None)
    assert (variables["HF_TOKEN"], variables["AGAIN"]) == ("canary", "canary")
    assert variables["FABRIEK_SECRETS"] == "/run/secrets"
    assert [file.name for file in room.secrets.iterdir()] == ["id_key"]
    assert (room.secrets / "id_key").read_text() == GIVEN["KEY"]
    assert (room.secrets / "id_key").stat().st_mode & 0o777 == 0o400
    assert room.secrets.stat().st_mode & 0o777 == 0o700
    assert room.secrets in room.opened  # wiped when the job is over


def test_without_walls_the_folder_is_named_where_it_lies(tmp_path: Path) -> None:
    job, room = a_spec(secrets=NAMED), Room(tmp_path)
    in_files(job, GIVEN, room, None)
    bare = Bare(room, ("true",), variables_of(job, in_variables(job, GIVEN)), (), sys.executable, "/lab", {})
    found = bare.command({"status": 3}).variables
    assert Path(found["FABRIEK_SECRETS"], "id_key").read_text() == GIVEN["KEY"]
    assert "canary" not in str(bare.command({"status": 3}).argv)


@pytest.mark.parametrize("variable", ["LD_PRELOAD", "PATH=", "FABRIEK_OUTPUT", "BASH_ENV"])
def test_a_node_takes_no_secret_for_a_variable_that_is_nobodys(variable: str) -> None:
    job = a_spec(secrets=(SecretSpec("TOKEN", variable),))
    with pytest.raises(InvalidInput) as refused:
        variables_of(job, in_variables(job, GIVEN))
    assert "canary" not in refused.value.detail


def test_what_is_ours_stays_ours() -> None:
    job = a_spec(secrets=(SecretSpec("TOKEN", "HOME"),))
    assert variables_of(job, in_variables(job, GIVEN))["HOME"] == "/home/job"


def test_a_spec_names_secrets_and_holds_none() -> None:
    spec = a_spec(secrets=NAMED)
    assert JobSpec.from_json(spec.to_json()) == spec
    assert "canary" not in spec.to_json()
