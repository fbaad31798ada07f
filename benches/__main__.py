"""Every figure, one after another: `make bench`."""

import platform
import sys

from benches import (
    catalogue,
    factory_overhead,
    forecast,
    forecast_answer,
    front_door,
    job_overhead,
    job_rate,
    kueue,
    lab,
    ledger,
    ledger_report,
    login,
    pages,
    permissions,
    power,
    queue,
    relevance,
    seal,
    session_start,
    shares,
    simulate,
    slurm_submit,
    start,
    submit_rate,
    vault,
    vault_reading,
    year,
)
from fabriek import __version__

if __name__ == "__main__":
    print(
        f"Fabriek {__version__}, Python {platform.python_version()}, {platform.machine()}, kernel {platform.release()}"
    )
    # A figure that falls short is reported and no failure of the run: machines differ, and the figure is what is wanted.
    for bench in (
        seal,
        permissions,
        start,
        queue,
        relevance,
        pages,
        submit_rate,
        job_overhead,
        factory_overhead,
        job_rate,
        session_start,
        simulate,
        shares,
        kueue,
        power,
        forecast,
        forecast_answer,
        front_door,
        slurm_submit,
        vault,
        vault_reading,
        lab,
        ledger,
        ledger_report,
        login,
        catalogue,
        year,
    ):
        bench.main()
    sys.exit(0)
