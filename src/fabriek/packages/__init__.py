"""What jobs may install: packages that were asked for, looked through and approved, and the index that pip reads.

names.py       a package by its name and version, and names that are too alike
wheels.py      a wheel, read and never unpacked; metadata.py is what it says of itself
findings.py    what looking through a wheel found; advisories.py is what is known against it
files.py       a wheel that is kept, and for whom it is approved
requests.py    what a project asked for, and how far that is
fetching.py    wheels from the operator's index or folder
shelf.py       verbs on files; service.py, verbs on requests
"""
