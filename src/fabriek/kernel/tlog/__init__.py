"""A transparency log, pure: no storage, no clock, no network. Server, client and any second implementation read the same rules.

tree         RFC 6962: hashes of leaves and nodes, the root of a growing tree
tiles        C2SP tlog-tiles: hashes in tiles of 256, entries in bundles, and their paths
notes        C2SP signed-note: text under Ed25519 signatures, and verifier keys
checkpoints  C2SP tlog-checkpoint and tlog-cosignature: the signed size and root, and what witnesses add
exports      the whole log as lines of JSON that need nothing else to be verified
verify       recomputes everything, and names what does not hold
"""
