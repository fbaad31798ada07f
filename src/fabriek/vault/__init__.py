"""Data: stored sealed, versioned, labelled, and shared only under an agreement.

labels         how sensitive data is, as a lattice; policy reads it (data/labels.toml)
datasets       a named holding, its home project, its owner, what it was derived from
versions       one immutable state of a dataset, and the signed record that says so
agreements     the terms under which a project may use a dataset
rules          who may do what with which data: one pure function, each refusal with its rule
uploads        a version in the making
arrivals       a file on its way in that somebody else's client sends; arriving: the verbs; joining: how they become a version
grants         one version's manifest key, handed to one caller for a short time
requests       somebody asks for access, and how far that is
terms          what whoever uses a dataset accepts first
proposals      what nobody does alone: lowering a label, releasing what a job emitted
places         where store, nodes and backups stand, and where data may be
references     how people name data: `name`, `name@3`, `project/name@3`
epochs         the wrapping keys of a dataset, and the short memory for opened ones
homes          who holds a dataset's keys; own_keys: how an organisation's own are asked, and withdrawn
rotations      new keys for old; rotating: the verbs, which go on wherever they were killed
holds          legal holds and dates of retention
erasures       all keys of a dataset destroyed, and the certificate; erasing: the verbs, with those of holds
leftovers      objects that nothing names any more; collecting: the verbs, which may be killed anywhere
damage         stored bytes that are not what was written; examining: one object; checking: a walk through all; scrubbing: all the time
seals          the seal on the whole vault
safe           sealing in the server's memory, for dialects whose clients cannot seal
service        the verbs, in groups: holding, pushing, opening, addressing, sharing, asking, closing, lowering; on `desk`
ports, stores  what is kept, and the only SQL
"""
