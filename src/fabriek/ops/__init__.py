"""The operator's commands: start and stop, migrate, back up and restore, check, and the demo."""
