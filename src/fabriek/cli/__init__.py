"""The command line: one file per area, on the SDK alone. `main` finds the commands, `output` renders, `session` connects."""
