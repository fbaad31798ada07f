"""Which files of a base model may run what their author wrote when they are loaded; found as for models that were made here, and told by name too.

Nothing is ever loaded to find out.
"""

from pathlib import PurePosixPath

from fabriek.kernel.errors import InvalidInput, NotPermitted
from fabriek.lab.base_models.models import ModelFile
from fabriek.lab.registry.formats import Mark, format_of

HEAD_BYTES = 64
"""How much of a file is looked at while the rest is still on its way."""

PICKLED = frozenset((".bin", ".pt", ".ckpt", ".pdparams"))
"""Names under which libraries unpickle, whatever is in the file: the same names hold other weights elsewhere."""

CLOSED = frozenset(("zip", "tar", "compressed"))
"""Kinds whose inside nobody looked at, and which readers of models open by themselves."""


def begins_as_pickle(head: bytes) -> bool:
    """By two bytes, with which a safetensors file may begin as well: there a header in JSON follows its length."""
    return len(head) > 1 and head[0] == 0x80 and head[1] <= 9 and head[8:9] != b"{"


def why_code(path: str, kind: str = "unknown") -> str:
    """Why loading the file may run code, in words that follow its name; empty for data. `kind`: what its bytes are, see `registry.formats`."""
    found = format_of(path, kind)
    if found.mark is Mark.CODE:
        return found.why
    if PurePosixPath(path).suffix.lower() in PICKLED:
        return "by its name it is unpickled, which runs what it says"
    return "an archive that was not looked into may hold programs" if kind in CLOSED else ""


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
            f"{found}: {why}",
            rule="model.code",
            fix="push it as safetensors and leave this file out; or --allow-code, which marks the model as code for all who use it",
        )


def marked(file: ModelFile, kind: str) -> ModelFile:
    """The file with its mark. Raises InvalidInput on one that is not what its name says."""
    check_claim(file.path, kind)
    return ModelFile(file.path, file.sha256, file.size, bool(why_code(file.path, kind)))
