"""Files that others' clients send, from their first byte until they are in a version."""
