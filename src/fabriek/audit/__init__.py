"""What happened here, in a log that nobody can rewrite unseen.

log            the event: who did what to which thing, as ids, and its canonical bytes
service        the verbs: record, refused, sequence, read, export, verify
sequencer      numbers committed events into leaves, grows the tree, signs its checkpoint
ports, store   what is kept: events, tiles of hashes, the newest checkpoint

The tree itself (hashing, tiles, signed notes, proofs, verification) is in kernel/tlog, because the client verifies with the same code.
"""
