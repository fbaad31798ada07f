"""What was handed over: the face of a card, the files that belong to it, and what was not taken over."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.folders import Met, Survey, check_size
from fabriek.sealing.paths import check_path, rank

TITLE_CHARACTERS_MAX, SUMMARY_CHARACTERS_MAX, TEXT_CHARACTERS_MAX = 200, 500, 20_000
KEYWORDS_MAX, KEYWORD_CHARACTERS_MAX = 20, 60
AUTHORS_MAX, AUTHOR_CHARACTERS_MAX = 100, 200
LICENCE_CHARACTERS_MAX = 100
NAME_CHARACTERS_MAX = 63
LANGUAGES = {"nl": "nl", "nld": "nl", "dut": "nl", "dutch": "nl", "en": "en", "eng": "en", "english": "en"}

SPDX = {
    one.lower(): one
    for one in (
        "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0",
        "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "CC-BY-ND-4.0", "GPL-2.0", "GPL-3.0", "LGPL-3.0", "AGPL-3.0", "MPL-2.0", "EUPL-1.2",
        "ODbL-1.0", "PDDL-1.0", "ODC-By-1.0", "Unlicense", "ISC", "WTFPL", "Zlib", "AFL-3.0", "Artistic-2.0", "BSL-1.0", "EPL-2.0", "ECL-2.0",
        "OFL-1.1", "CDLA-Permissive-2.0", "etalab-2.0",
    )
} | {"odbl": "ODbL-1.0", "pddl": "PDDL-1.0", "odc-by": "ODC-By-1.0"}  # fmt: skip
"""As others spell it, in small letters → the identifier of SPDX."""


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


def licence_of(said: str) -> str:
    """As SPDX writes it, where it is one of those; an address of SPDX or of a Creative Commons licence without what stands around it."""
    bare = said.strip()
    if found := re.fullmatch(r"https?://spdx\.org/licenses/([A-Za-z0-9.+-]+?)(?:\.html|\.json)?/?", bare):
        bare = found[1]
    elif found := re.fullmatch(r"https?://creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)(?:/.*)?", bare):
        bare = f"CC-{found[1].upper()}-{found[2]}"
    elif re.fullmatch(r"https?://creativecommons\.org/publicdomain/zero/1\.0(?:/.*)?", bare):
        bare = "CC0-1.0"
    return one_line(SPDX.get(bare.lower(), bare), LICENCE_CHARACTERS_MAX)


def language_of(said: str) -> str:
    """Of a language as others name it: nl or en; en for every other, in which a card cannot be."""
    return LANGUAGES.get(said.strip().lower().partition("-")[0].partition("_")[0], "en")


def one_line(text: str, characters_max: int) -> str:
    """Without line breaks and characters that cannot be seen, cut at a word where it is too long."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= characters_max else line[: characters_max - 1].rsplit(" ", 1)[0] + "…"


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
