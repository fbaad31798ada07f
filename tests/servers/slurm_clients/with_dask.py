"""`with_dask.py FOLDER`: two workers from dask-jobqueue, which find their scheduler over the network and are stopped again."""

import json
import sys

from dask.distributed import Client
from dask_jobqueue import SLURMCluster


def main(folder: str) -> None:
    cluster = SLURMCluster(
        cores=1, processes=1, memory="1GiB", walltime="00:05:00", interface="lo", local_directory=f"{folder}/dask",
        log_directory=f"{folder}/dask-logs",
        death_timeout=60, scheduler_options={"dashboard_address": None}, worker_extra_args=["--no-dashboard"],
    )  # fmt: skip
    with cluster, Client(cluster) as client:
        cluster.scale(jobs=2)
        client.wait_for_workers(2, timeout=60)
        squares = client.gather(client.map(lambda number: number * number, range(8)))
        print(json.dumps({"squares": squares, "workers": len(client.scheduler_info()["workers"])}))


if __name__ == "__main__":
    main(sys.argv[1])
