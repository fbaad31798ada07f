"""Applying for compute: calls, their forms, and the applications made to them. `intake` has the verbs."""
