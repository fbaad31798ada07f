"""The real pip, as somebody would call it who has nothing but the index: no setting, no variable and no cache of this machine."""

import os
import subprocess
import sys
from pathlib import Path


def pip(*arguments: str, home: Path, index: str = "") -> "subprocess.CompletedProcess[str]":
    """index: the address with its token; empty for none. Everything that is installed lands below `home/site`."""
    variables = {
        "PATH": os.defpath, "HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1", **({"PIP_INDEX_URL": index} if index else {"PIP_NO_INDEX": "1"}),
    }  # fmt: skip
    argv = [sys.executable, "-I", "-m", "pip", *arguments]
    return subprocess.run(argv, env=variables, cwd=home, capture_output=True, text=True, check=False, timeout=150)


def install(*arguments: str, home: Path, index: str) -> "subprocess.CompletedProcess[str]":
    return pip("install", "--target", str(home / "site"), *arguments, home=home, index=index)
