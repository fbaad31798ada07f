"""What a file of a model is: data, or something that runs its author's code when it is loaded. Nothing is ever loaded here to find out."""

import re
from pathlib import PurePosixPath

from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.lab.base_models.models import ModelFile

HEAD_BYTES = 512
"""How much of a file is looked at."""

PICKLED = frozenset((".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".dill", ".pdparams"))
PROGRAMS = frozenset((".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".ps1", ".jar", ".ipynb"))
BUILT = frozenset((".h5", ".hdf5", ".keras", ".pb", ".mar", ".nemo", ".whl", ".zip", ".tar", ".tgz", ".7z"))
"""Formats that may carry code among the data: Keras layers, graphs with file access, archives of whatever."""

HEADER_BYTES_MAX = 100_000_000
"""Of safetensors, by its specification."""

_BEGINNINGS = (
    (b"PK\x03\x04", "zip"),
    (b"GGUF", "gguf"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"#!", "program"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]", re.DOTALL)


def kind_of(head: bytes) -> str:
    """By the first bytes: pickle, zip, gguf, safetensors, hdf5, program; empty for anything else."""
    if _PICKLE.match(head):
        return "pickle"
    # The length of a header in JSON, and the header.
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= HEADER_BYTES_MAX:
        return "safetensors"
    return next((kind for begins, kind in _BEGINNINGS if head.startswith(begins)), "")


def why_code(path: str, kind: str = "") -> str:
    """Why loading the file may run code, in words that follow its name; empty for data. `kind`: what its first bytes say."""
    suffix = PurePosixPath(path.lower()).suffix
    if kind == "pickle" or suffix in PICKLED:
        return "is a pickle, which runs what its author wrote when it is loaded"
    if kind == "program" or suffix in PROGRAMS:
        return "is a program"
    if suffix in BUILT or kind == "hdf5" or (kind == "zip" and suffix != ".npz"):
        return "is in a format that may carry code beside the weights"
    return ""


def check_claim(path: str, kind: str) -> None:
    """Raises InvalidInput on a file that is not what its name says."""
    for suffix in ("safetensors", "gguf"):
        if path.lower().endswith(f".{suffix}") and kind != suffix:
            raise InvalidInput(
                f"{path} is not in the format {suffix}, though its name says so",
                fix="look at the file: it may be a pointer of Git LFS, or broken off; fetch it again",
            )


def check_allowed(found: str, why: str, *, allow_code: bool) -> None:
    """Raises NotPermitted on code that nobody said yes to. found: the file."""
    if why and not allow_code:
        raise NotPermitted(
            f"{found} {why}",
            rule="model.code",
            fix="push it as safetensors and leave this file out; or --allow-code, which marks the model as code for all who use it",
        )


def marked(file: ModelFile, kind: str) -> ModelFile:
    """The file with its mark. Raises InvalidInput on one that is not what its name says."""
    check_claim(file.path, kind)
    return ModelFile(file.path, file.sha256, file.size, bool(why_code(file.path, kind)))
