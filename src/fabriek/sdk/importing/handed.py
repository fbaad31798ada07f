"""What was handed over: the face of a card, the files that belong to it, and what was not taken over."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.kernel.lines import one_line
from fabriek.sdk.folders import Met, Survey, check_size
from fabriek.sealing.paths import check_path, rank

TITLE_CHARACTERS_MAX, SUMMARY_CHARACTERS_MAX, TEXT_CHARACTERS_MAX = 200, 500, 20_000
KEYWORDS_MAX, KEYWORD_CHARACTERS_MAX = 20, 60
AUTHORS_MAX, AUTHOR_CHARACTERS_MAX = 100, 200
NAME_CHARACTERS_MAX = 63
LANGUAGES = {"nl": "nl", "nld": "nl", "dut": "nl", "dutch": "nl", "en": "en", "eng": "en", "english": "en"}


@dataclass(frozen=True, slots=True)
class Handed:
    """`kind`: dataset or model. `name`: what it would be called here. `face`: fields of a card. `paths`: of files below `root`; none means all of
    them. `left_out`: what the card or document says that has no place here.
    """

    kind: str
    name: str
    root: Path
    face: Mapping[str, str | Sequence[str]]
    paths: Sequence[str] = ()
    left_out: Sequence[str] = field(default_factory=tuple)


def name_of(said: str, fallback: str) -> str:
    """A title as a name may be written: small letters, digits and hyphens."""
    for one in (said, fallback):
        made = re.sub(r"[^a-z0-9]+", "-", one.lower()).strip("-")[:NAME_CHARACTERS_MAX].strip("-")
        if len(made) > 1 and made[0].isalpha():
            return made
    raise InvalidInput(f"{said[:60]!r} gives no name", fix="add --name NAME")


def language_of(said: str) -> str:
    """Of a language as others name it: nl or en; en for every other, in which a card cannot be."""
    return LANGUAGES.get(said.strip().lower().partition("-")[0].partition("_")[0], "en")


def words_of(said: Sequence[str]) -> list[str]:
    """Keywords, each once, as many as a card takes."""
    lines = [one_line(one, 10 * KEYWORD_CHARACTERS_MAX) for one in said]
    return list(dict.fromkeys(one for one in lines if one and len(one) <= KEYWORD_CHARACTERS_MAX))[:KEYWORDS_MAX]


def contained(root: Path, path: str) -> Path:
    """A regular file below root, by its path. Raises InvalidInput on every path that leads elsewhere, by dots, links or otherwise."""
    try:
        check_path(path)
    except InvalidInput:
        raise InvalidInput(
            f"{path[:100]!r} is no path of a file beside the document", fix="put the file beside it"
        ) from None
    file = root / path
    if not file.is_file() or file.is_symlink() or file.resolve() != root.resolve() / path:
        raise InvalidInput(
            f"there is no file {path[:100]!r} beside the document", fix="put the file itself there, and no link"
        )
    return file


def surveyed(root: Path, paths: Sequence[str]) -> Survey:
    """These files of a folder alone, for a push. Raises InvalidInput."""
    met = []
    for path in sorted(set(paths), key=rank):
        status = contained(root, path).stat()
        check_size(path, status)
        met.append(Met(path, status))
    return Survey(root.resolve(), len(met), sum(one.status.st_size for one in met if one.status), kept=met)
