"""What a list of requirements may say: names, versions and hashes, from the operator's index, as wheels."""

import re

from fabriek.kernel.errors import InvalidInput

BYTES_MAX = 1_000_000
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_VERSION = r"(?:===|~=|==|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+"
LINE = re.compile(
    rf"{_NAME}\s*(?:\[\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\])?\s*(?:\(?\s*{_VERSION}(?:\s*,\s*{_VERSION})*\s*\)?)?"
    r"\s*(?:;[^#\\]*)?(?:\s+--hash=[a-z0-9]+:[0-9a-f]+)*"
)
"""A name, its extras, its versions, a condition, hashes. No option, address or path: pip would follow those with the server's rights."""


def check_requirements(requirements: bytes) -> list[str]:
    """The lines that say something, joined where they were continued. Raises InvalidInput, naming the first line that may not stand
    there.
    """
    fix = "write NAME, NAME==VERSION or the output of pip freeze; packages come from the operator's index"
    if len(requirements) > BYTES_MAX:
        raise InvalidInput(
            f"the list of requirements is over {BYTES_MAX} bytes", fix="name what the job itself imports"
        )
    try:
        text = requirements.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("the list of requirements is not text", fix="save the file as UTF-8") from None
    lines = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        said = re.sub(r"(^|\s)#.*$", "", line).strip()
        if said and not LINE.fullmatch(said):
            raise InvalidInput(f"{said[:120]!r} cannot stand in a list of requirements", fix=fix)
        if said:
            lines.append(said)
    return lines
