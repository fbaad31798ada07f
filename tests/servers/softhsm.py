"""SoftHSM2, a PKCS#11 token in software: the same calls as a token of metal, in a folder that goes with the test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

MODULES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)
PIN = "1234"


@dataclass(frozen=True, slots=True)
class SoftHsm:
    """The module, and the folder in which its tokens lie."""

    module: Path
    folder: Path

    def token(self, label: str) -> str:
        """A new token; its label."""
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN]
        subprocess.run(command, check=True, capture_output=True)
        return label


def why_absent() -> str:
    """Empty when tokens can be made here, else the reason."""
    if find_spec("pkcs11") is None:
        return "python-pkcs11 is not installed"
    if shutil.which("softhsm2-util") is None or not any(module.exists() for module in MODULES):
        return "SoftHSM2 is not installed (softhsm2)"
    return ""


@contextmanager
def running() -> Iterator[SoftHsm]:
    """A place for tokens. The module reads where it is from the environment of its process, once."""
    with tempfile.TemporaryDirectory(prefix="fabriek-hsm-") as folder:
        place = Path(folder)
        (place / "tokens").mkdir()
        config = place / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {place / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
        before = os.environ.get("SOFTHSM2_CONF")  # noqa: TID251  # the only way to tell the module
        os.environ["SOFTHSM2_CONF"] = str(config)  # noqa: TID251
        try:
            yield SoftHsm(next(module for module in MODULES if module.exists()), place)
        finally:
            if before is None:
                del os.environ["SOFTHSM2_CONF"]  # noqa: TID251
            else:
                os.environ["SOFTHSM2_CONF"] = before  # noqa: TID251
