"""Programs of people who use submitit and dask-jobqueue; each prints what it computed as JSON."""
