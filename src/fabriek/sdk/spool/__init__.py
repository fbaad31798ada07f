"""Logging that does not wait for a server: written to this machine's disk first, sent when it can be, once."""
