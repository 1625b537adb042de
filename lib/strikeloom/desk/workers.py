"""Choice of the workers of a stage: this process, processes of this machine, or a cluster."""

from __future__ import annotations

import os

from strikeloom.adapters.workers import ClusterWorkers, HereWorkers, ProcessWorkers
from strikeloom.ports.workers import Workers

_LEAST_ITEMS = 4  # with fewer items a process is not worth its start


def open_workers(items: int, *, cluster: str = "", processes: int = 0) -> Workers:
    """Workers for a number of items.

    Parameters
    ----------
    cluster : str
        Address of a Dask scheduler, ``tcp://host:8786``; empty: this machine.
    processes : int
        Processes on this machine; 1: in this process. Default: one for each processor that we
        may use, if there are enough items.
    """
    if cluster:
        return ClusterWorkers(cluster)
    usable = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    count = processes or min(usable, items // _LEAST_ITEMS)
    return ProcessWorkers(count) if count > 1 else HereWorkers()
