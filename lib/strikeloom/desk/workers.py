"""Where a stage's work is done: chosen here, once, from what the machine and the user offer."""

from __future__ import annotations

import os

from strikeloom.adapters.workers import ClusterWorkers, HereWorkers, ProcessWorkers
from strikeloom.ports.workers import Workers

_WORTH = 4  # items a process must have to earn its start


def open_workers(items: int, *, cluster: str = "", processes: int = 0) -> Workers:
    """Workers for so many items.

    Parameters
    ----------
    cluster : str
        Address of a Dask scheduler, ``tcp://host:8786``; empty: this machine.
    processes : int
        On this machine; 1: in this process. Default: one for each processor that is ours,
        where there is enough to do.
    """
    if cluster:
        return ClusterWorkers(cluster)
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = processes or min(ours, items // _WORTH)
    return ProcessWorkers(count) if count > 1 else HereWorkers()
