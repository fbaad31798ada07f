"""Care of the store: what lies there is read again, what rotted is told, and what nothing names any more is freed."""
