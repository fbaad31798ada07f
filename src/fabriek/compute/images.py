"""The image whose files a job has in place of the machine's: a file of a dataset version, or one that the operator lists by name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from fabriek.compute.jobs import JobInput
from fabriek.compute.machine import Machine
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted

NOT_MOUNTED = ""
"""The mount point of the input that holds the job's image: the job is in it, and sees no file of it."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_FIX = "--image NAME@V:FILE, or the operator's name for one"


@dataclass(frozen=True, slots=True)
class Image:
    """`dataset` as people name a version, and `file` a path in it; or no dataset, and `file` the operator's name for one."""

    dataset: str
    file: str


def image_of(text: str) -> Image | None:
    """`torch@3:torch.sif`, or `torch`; None where there is none. Raises InvalidInput."""
    if not text:
        return None
    dataset, colon, file = text.partition(":")
    if not colon:
        if not _NAME.fullmatch(text):
            raise InvalidInput(f"{text[:80]!r} names no image", fix=_FIX)
        return Image("", text)
    path = PurePosixPath(file)
    if not dataset or not path.parts or str(path) != file or path.is_absolute() or ".." in path.parts or "\0" in file:
        raise InvalidInput(f"{text[:80]!r} names no file of a dataset version", fix=_FIX)
    return Image(dataset, file)


def listed_images(text: str) -> Mapping[str, str]:
    """The setting `job_images`, `torch=/srv/torch.sif, r=/srv/r.sif`: name → path. Raises InvalidInput on what is none of these."""
    found = {}
    for one in (word.strip() for word in text.split(",") if word.strip()):
        name, _, path = (part.strip() for part in one.partition("="))
        if not _NAME.fullmatch(name) or not path.startswith("/"):
            raise InvalidInput(f"job_images: {one!r} is no NAME=/PATH", fix="job_images = torch=/srv/images/torch.sif")
        found[name] = path
    return found


def path_of(name: str, listed: Mapping[str, str]) -> str:
    """Where the machine has the image. Raises NotFound where the operator does not list it, or does so no more."""
    if name not in listed:
        known = f"one of {', '.join(sorted(listed))}" if listed else "--image NAME@V:FILE"
        raise NotFound(f"the operator lists no image {name}", fix=known)
    return listed[name]


def check_image(text: str, machine: Machine) -> None:
    """Raises NotPermitted for a job in an image on a machine that could not run it; NotFound for a name that is not listed."""
    image = image_of(text)
    if image is None:
        return
    able = machine.able()
    if not able.sandbox:
        raise NotPermitted(
            f"jobs cannot be kept apart on this machine ({able.reason}), so none has an image of its own",
            rule="sandbox.required",
            fix=able.fix,
        )
    if not able.images:
        raise NotPermitted(
            "this machine cannot unpack images: unsquashfs is not installed",
            rule="image.tools",
            fix="apt install squashfs-tools",
        )
    if not image.dataset:
        path_of(image.file, machine.images)


def resolved(text: str, inputs: Sequence[JobInput]) -> str:
    """The image by the version that it was found to be in, so that what is shown stays true when there is a newer one."""
    image = image_of(text)
    if image is None or not image.dataset:
        return text
    held = next(one for one in inputs if one.mount == NOT_MOUNTED)
    return f"{held.dataset_name}@{held.version}:{image.file}"
