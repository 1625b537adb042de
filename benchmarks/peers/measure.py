"""One process, one core, the same arrays; repetitions take turns, so that noise is shared.

Time is the processor's, all threads together: others may share the machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

ONE_THREAD = {"RAYON_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma,+bmi,+bmi2,+lzcnt"}


def one_core() -> None:
    """Call before the peers are imported."""
    os.environ.update(ONE_THREAD)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def side_by_side(works: dict[str, tuple[int, object]], rounds: int) -> dict[str, float]:
    """Median millions of rows a processor second of each (rows, work without arguments)."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, (_, work) in works.items():
            start = time.process_time()
            work()
            if number:  # the first warms up
                seconds[name].append(time.process_time() - start)
    return {
        name: works[name][0] / statistics.median(taken) / 1e6 for name, taken in seconds.items()
    }


def fresh(code: str, **environment: str) -> str:
    """What a new interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout.strip()


def again(script: str, **environment: str) -> None:
    """The same script, short, on another kind of processor."""
    subprocess.run(
        [sys.executable, script, "--short"], env={**os.environ, **environment}, check=True
    )
