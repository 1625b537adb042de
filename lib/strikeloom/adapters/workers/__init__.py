"""Where items are computed: in this process, in other processes, or on a cluster."""

from strikeloom.adapters.workers.cluster import ClusterWorkers
from strikeloom.adapters.workers.here import HereWorkers
from strikeloom.adapters.workers.processes import ProcessWorkers

__all__ = ["ClusterWorkers", "HereWorkers", "ProcessWorkers"]
