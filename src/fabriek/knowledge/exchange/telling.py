"""What one may have told of an entry in other houses' formats. Names and hashes of files go to who may take the data away, and to nobody else."""

from functools import partial
from itertools import islice
from typing import Any

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound, NotPermitted
from fabriek.knowledge.catalogue.entries import EntryKind
from fabriek.knowledge.catalogue.service import Catalogue
from fabriek.knowledge.exchange.columns import HEAD_BYTES, TEXT_BYTES_MAX, columns_of
from fabriek.knowledge.exchange.croissant import FILES_MAX, Contents, TellingFile, croissant
from fabriek.sealing.digests import BLOCK_BYTES
from fabriek.sealing.manifest import File
from fabriek.vault.looking import Looked, Looking

OWN = "croissant.json"
"""Where the document itself is put, and what a dataset that came in with one holds: it distributes not itself."""

TABLES_BYTES_MAX = 32 * 2**20
"""Read of all tables of a version together, while somebody waits; those after that are told without their columns."""


class Telling:
    """Over the catalogue and the vault."""

    def __init__(self, catalogue: Catalogue, looking: Looking) -> None:
        self._catalogue, self._looking = catalogue, looking

    def croissant(self, entry_id: str, address: str, *, by: Caller) -> dict[str, Any]:
        """A dataset's entry as Croissant, with its newest version for who may read it. address: the entry's page. Raises NotFound, InvalidInput."""
        entry = self._catalogue.entry(entry_id, by=by)
        if entry.kind is not EntryKind.DATASET:
            raise InvalidInput("Croissant tells of datasets", fix="fabriek catalogue search --kind dataset")
        try:
            with self._looking.into(entry.subject, by=by) as looked:
                contents = _contents(looked)
        except (NotFound, NotPermitted):
            contents = None
        return croissant(entry, self._catalogue.whose(entry)[1], address, contents)


def _contents(looked: Looked) -> Contents:
    number = looked.version.number
    files = [one for one in islice(looked.book.files(), FILES_MAX + 1) if not one.link and one.path != OWN]
    if looked.book.count > FILES_MAX:
        endings = {one.path.rpartition("/")[2].rpartition(".")[2] for one in looked.book.files() if "." in one.path}
        return Contents(number, kinds=sorted(endings)[:FILES_MAX] or [""])
    told, left = list[TellingFile](), TABLES_BYTES_MAX
    for file in files:
        is_whole = file.size <= BLOCK_BYTES
        columns = columns_of(file.path, file.size, partial(looked.read, file)) if left > 0 and is_whole else ()
        if columns:
            left -= file.size if file.size <= TEXT_BYTES_MAX else HEAD_BYTES
        told.append(TellingFile(file.path, file.size, _hash(file), columns))
    return Contents(number, told)


def _hash(file: File) -> str:
    """Of large files the vault knows the hashes of their blocks, which nobody else reckons with."""
    return "" if file.blocks else file.sha256
