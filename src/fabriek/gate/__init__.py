"""The door to web apps that jobs serve, on an origin of their own: never the portal's, and for each job another.

`heads` reads and rewrites the heads of requests and answers · `visits` says whose request it is and which job it is for · `server` carries
the bytes · `pages` are the few pages of its own.
"""
