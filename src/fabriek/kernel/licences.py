"""Names of licences as others write them, in the identifiers of SPDX where they have one. https://spdx.org/licenses/"""

import re

from fabriek.kernel.lines import one_line

CHARACTERS_MAX = 100

SPDX = {
    one.lower(): one
    for one in (
        "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0",
        "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "CC-BY-ND-4.0", "GPL-2.0", "GPL-3.0", "LGPL-3.0", "AGPL-3.0", "MPL-2.0", "EUPL-1.2",
        "ODbL-1.0", "PDDL-1.0", "ODC-By-1.0", "Unlicense", "ISC", "WTFPL", "Zlib", "AFL-3.0", "Artistic-2.0", "BSL-1.0", "EPL-2.0", "ECL-2.0",
        "OFL-1.1", "CDLA-Permissive-2.0", "etalab-2.0",
    )
} | {"odbl": "ODbL-1.0", "pddl": "PDDL-1.0", "odc-by": "ODC-By-1.0"}  # fmt: skip
"""As others spell it, in small letters → the identifier."""


def licence_of(said: str) -> str:
    """A name, or an address at SPDX, Creative Commons or the Publications Office, as SPDX has it; any other as it is, in one line."""
    bare = said.strip()
    if found := re.fullmatch(r"https?://spdx\.org/licenses/([A-Za-z0-9.+-]+?)(?:\.html|\.json)?/?", bare):
        bare = found[1]
    elif found := re.fullmatch(r"https?://creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)(?:/.*)?", bare):
        bare = f"CC-{found[1].upper()}-{found[2]}"
    elif re.fullmatch(r"https?://creativecommons\.org/publicdomain/zero/1\.0(?:/.*)?", bare):
        bare = "CC0-1.0"
    elif found := re.fullmatch(
        r"https?://publications\.europa\.eu/resource/authority/licence/CC_([A-Z]+)_(\d)_(\d)", bare
    ):
        bare = f"CC-{found[1]}-{found[2]}.{found[3]}"
    return one_line(SPDX.get(bare.lower(), bare), CHARACTERS_MAX)
