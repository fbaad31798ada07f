"""What an object is bound to: its organisation, dataset and id. A blob that was moved elsewhere does not open."""


def object_context(organisation: str, dataset: str, object_id: str) -> bytes:
    """The three, each behind its length as two bytes, so that no two triples read the same."""
    parts = [part.encode() for part in (organisation, dataset, object_id)]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)
