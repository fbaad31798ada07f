"""Who gets in and why: organisations, people, roles and projects.

`service` has the verbs on those. The rooms: `login` (who is behind a request), `joining` (coming in and going out), `applying` (calls and the
applications made to them), `reviewing` (judging those).
"""
