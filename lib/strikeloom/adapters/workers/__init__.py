"""Where work is done. The work is the same everywhere; only the place differs."""

from strikeloom.adapters.workers.cluster import ClusterWorkers
from strikeloom.adapters.workers.here import HereWorkers
from strikeloom.adapters.workers.processes import ProcessWorkers

__all__ = ["ClusterWorkers", "HereWorkers", "ProcessWorkers"]
