"""A job in an image: the image's files are its root, and the walls around it are those of every job.

sif        where the file system lies in an image
unpacking  the file, fetched, hashed, and unpacked behind walls of its own
roots      an unpacked root, made ready for what is laid over it
aside      our own interpreter beside the image's files
"""
