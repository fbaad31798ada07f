"""Signing in: credentials and logins. `identity` says who is behind a request."""
