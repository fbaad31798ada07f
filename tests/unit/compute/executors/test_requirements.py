"""A list of requirements names packages; everything else that pip would follow is refused."""

import pytest

from fabriek.compute.executors.requirements import BYTES_MAX, check_requirements
from fabriek.kernel.errors import InvalidInput


def test_what_pip_freeze_and_pip_compile_write_is_taken() -> None:
    written = b"""\xef\xbb\xbf# made by a tool
scikit-learn>=1.6,<2   # trees
mlflow-skinny[databricks, gateway] == 3.1.*
torch==2.13.0+cpu ; sys_platform == "linux" and python_version >= "3.11"

numpy==2.3.0 \\
    --hash=sha256:0123456789abcdef \\
    --hash=sha256:fedcba9876543210
"""
    assert check_requirements(written) == [
        "scikit-learn>=1.6,<2",
        "mlflow-skinny[databricks, gateway] == 3.1.*",
        'torch==2.13.0+cpu ; sys_platform == "linux" and python_version >= "3.11"',
        "numpy==2.3.0      --hash=sha256:0123456789abcdef      --hash=sha256:fedcba9876543210",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "-r /etc/passwd",
        "--extra-index https://elsewhere.example/simple",
        "-e .",
        "./local",
        "/srv/wheels/evil-1.0-py3-none-any.whl",
        "https://elsewhere.example/evil-1.0.whl",
        "git+https://elsewhere.example/evil",
        "evil @ file:///srv/evil",
        "numpy --global-option=build",
        "numpy \\\n  --config-settings=a=b",
        "${HOME}/evil",
        "numpy\0",
    ],
)
def test_options_addresses_and_paths_are_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="cannot stand in a list of requirements"):
        check_requirements(line.encode())


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\n" * BYTES_MAX])
def test_what_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        check_requirements(content)


def test_a_long_line_that_almost_fits_is_refused_at_once() -> None:
    with pytest.raises(InvalidInput):
        check_requirements(b"a" * 20_000 + b"," + b"-" * 20_000 + b"!")
