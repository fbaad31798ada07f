"""The one command that mends a machine where user namespaces are refused."""

from pathlib import Path

import pytest

from fabriek.node.probe import why


@pytest.mark.parametrize(
    ("switch", "value", "fix"),
    [
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("kernel/unprivileged_userns_clone", "0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=15000"),
    ],
)
def test_a_switch_that_forbids_is_named_with_its_command(tmp_path: Path, switch: str, value: str, fix: str) -> None:
    (tmp_path / switch).parent.mkdir()
    (tmp_path / switch).write_text(f"{value}\n")
    assert why("bwrap: setting up uid map: Permission denied", tmp_path)[1] == fix


def test_what_no_switch_explains_is_said_as_it_is(tmp_path: Path) -> None:
    assert why("bwrap: no such thing", tmp_path)[0] == "bwrap: no such thing"
