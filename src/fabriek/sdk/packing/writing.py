"""Making the folder of a pack: everything is fetched and written beside its place, and moved there when it is whole."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.schemas.packs import PackOut
from fabriek.sdk.packing import checksums, texts
from fabriek.sdk.pull import pull_files
from fabriek.sdk.vault import Vault
from fabriek.sealing.manifest import File

STATEMENT = "pack.dsse.json"


def check_place(folder: Path) -> None:
    """Raises InvalidInput where something is: a pack never mixes with another."""
    if folder.is_symlink() or folder.exists():
        raise InvalidInput(f"{folder} is there already", fix="name a folder that is not there yet")
    if not folder.absolute().parent.is_dir():
        raise InvalidInput(f"{folder.absolute().parent} is not a folder", fix="make it first")


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder`, which takes its place at the end of the block, and is gone when the block fails."""
    check_place(folder)
    stage = Path(tempfile.mkdtemp(prefix=".fabriek-pack-", dir=folder.absolute().parent))
    try:
        yield stage
        stage.rename(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def fill(stage: Path, pack: PackOut, vault: Vault) -> str:
    """Writes everything but the statement; the SHA-256 of the list of hashes. Raises NotPermitted, Damaged."""
    if pack.code:
        vault.fetch(pack.code, stage / "code", project=pack.project)
    files = _inputs(stage, pack, vault)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    has_packages = bool(pack.requirements.strip())
    written = {
        "job.sh": texts.job_script(pack), "pack.json": texts.pack_json(pack), "inputs.json": texts.inputs_json(pack, files),
        "README.md": texts.readme(pack), "container.def": texts.container_definition(python, requirements=has_packages),
        "Containerfile": texts.containerfile(python, requirements=has_packages),
    } | ({"requirements.txt": pack.requirements} if has_packages else {})  # fmt: skip
    for name, text in written.items():
        (stage / name).write_text(text, "utf-8", newline="\n")
    (stage / "job.sh").chmod(0o755)
    hashes = {path: checksums.hash_of(stage / path) for path in checksums.files_below(stage)}
    (stage / "CHECKSUMS").write_text(checksums.write(hashes), "utf-8", newline="\n")
    return checksums.hash_of(stage / "CHECKSUMS")


def _inputs(stage: Path, pack: PackOut, vault: Vault) -> dict[int, Sequence[File]]:
    files: dict[int, Sequence[File]] = {}
    if pack.stays:
        return files
    for number, one in enumerate(pack.inputs, 1):
        into = stage / "inputs" / texts.input_folder(number, one.dataset)
        with vault.opened(one.version_id, project=pack.project) as version:
            pull_files(version, into)
            files[number] = list(version.book.files())
    return files
