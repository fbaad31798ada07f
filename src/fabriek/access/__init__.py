"""Who gets in and why: organisations, people, roles, projects, credentials; calls, and the applications made to them.

`service` has the verbs on organisations, people and projects, `identity` those on credentials, `intake` those on applications.
"""
