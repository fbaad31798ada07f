"""Background work: `loop` runs the rounds, one file per kind of work: admission, starting, watching, settling, upkeep."""
