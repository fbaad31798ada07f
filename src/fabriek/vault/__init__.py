"""Data: stored sealed, versioned, labelled, and shared only under an agreement.

datasets       a named holding, its home project, its owner, what it was derived from
versions       one immutable state of a dataset, and the signed record that says so; tags: names for one; leafing, paging: its pages
uploads        a version in the making
grants         one version's manifest key, handed to one caller for a short time
references     how people name data: `name`, `name@3`, `project/name@3`
rules          who may do what with which data: one pure function, each refusal with its rule
safe           sealing in the server's memory, for dialects whose clients cannot seal
service        the verbs, in groups: holding, pushing, opening, addressing, naming, closing, and those of the rooms below; on `desk`
ports, stores  what is kept, and the only SQL; each room has its own

labelling/     labels: how sensitive data is, as a lattice; policy reads it (data/labels.toml); places: where data may be;
               proposals: what nobody does alone, such as lowering a label or releasing what a job emitted
agreeing/      agreements: the terms under which a project may use a dataset; requests: somebody asks for access, and how far that is;
               terms: what whoever uses a dataset accepts first; the verbs: asking, sharing
keeping/       epochs: the wrapping keys of a dataset; homes: who holds them; own_keys: how an organisation's are asked, and withdrawn;
               rotations: new keys for old; holds: legal holds and dates; erasures: all keys destroyed, and the certificate; seals
intake/        arrivals: a file on its way in that somebody else's client sends; the verbs: arriving, joining, wiping
care/          damage: stored bytes that are not what was written; leftovers: objects that nothing names any more; the verbs: checking
               (a walk through all), scrubbing (all the time), collecting (which may be killed anywhere)
"""
