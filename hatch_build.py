"""What the portal's pages take from the browser's own registry, fetched when the package is built and never kept in the repository.

Without npm, or without a network, the portal is built without it, and says so where it would be used.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE, VERSION = "tus-js-client", "4.3.1"
SHA512 = (
    "64b7989a3ae4694d5f52c29b222f0930be76b80a1c8c466d071e032a346bab3a"
    "d96b43b8318c13e9d6fea2a78f96ca55f85c57240c8505cfcbe60c148b6385b2"
)
"""Of the package as its registry gives it: another one is not taken."""

WANTED = {"package/dist/tus.min.js": "tus.min.js", "package/LICENSE": "tus.license.txt"}
SHA256 = {
    "tus.min.js": "8cbb1b63fccc3bba0ae73ad1deb160ce046c3750851d0c3e94921ae3ef070eb8",
    "tus.license.txt": "2ec372e137fa65938a6551e9abaa3d3ea21f5ebd398fca00a13354ea881e6539",
}
"""Of the files in it: what an earlier build left is taken for what it is, and not for what a mark beside it says."""

SECONDS_MAX = 60


class Fetched(BuildHookInterface):  # type: ignore[type-arg]
    """hatchling calls this before it gathers files, for wheels and for editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        assets = Path(self.root, "src", "fabriek", "portal", "assets")
        if not _are_there(assets) and (why := _fetch(assets)):
            sys.stderr.write(f"the portal is built without uploads in the browser: {why}\n")
            return
        build_data["artifacts"] += [f"src/fabriek/portal/assets/{name}" for name in WANTED.values()]


def _are_there(assets: Path) -> bool:
    """Also where a build was killed while it wrote them, or somebody took one away."""
    files = {assets / name: sha256 for name, sha256 in SHA256.items()}
    return all(file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == files[file] for file in files)


def _fetch(assets: Path) -> str:
    """Why not; empty when all is there."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    with tempfile.TemporaryDirectory() as folder:
        argv = [
            npm,
            "pack",
            f"{PACKAGE}@{VERSION}",
            "--silent",
            "--ignore-scripts",
            "--fetch-retries=0",
            "--pack-destination",
            folder,
        ]
        try:
            subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=SECONDS_MAX)
            (packed,) = Path(folder).glob("*.tgz")
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return f"npm did not give {PACKAGE} ({type(error).__name__})"
        if hashlib.sha512(packed.read_bytes()).hexdigest() != SHA512:
            raise RuntimeError(f"{PACKAGE} {VERSION} is not the one that this was built with")
        with tarfile.open(packed) as archive:
            for member, name in WANTED.items():
                source = archive.extractfile(member)
                assert source is not None, member
                (assets / name).write_bytes(source.read())
    return ""
