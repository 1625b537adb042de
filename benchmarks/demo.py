"""A fresh clone to an answering page, and the demonstration's own work, against their bars.

.venv/bin/python benchmarks/demo.py            # the desk's own work: demo --check
.venv/bin/python benchmarks/demo.py --clone    # a fresh clone too, packages downloaded
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLONE_BAR, OWN_BAR = 240.0, 60.0
# drawing the market and the four notebooks; the page and the press are the installation's check
OWN_STEPS = ("synthetic market drawn", "notebook 0", "strategies marked")


def own_work() -> float:
    """Seconds of the desk's own work: market and four notebooks."""
    done = subprocess.run(
        [sys.executable, "-m", "strikeloom.cli", "demo", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, end="")
    if done.returncode:
        sys.exit(f"demo --check failed:\n{done.stderr}")
    steps = re.findall(r"^PASS +([\d.]+) s  (.*?):", done.stdout, flags=re.MULTILINE)
    return sum(float(took) for took, name in steps if name.startswith(OWN_STEPS))


def clone() -> float:
    """Seconds from ``git clone`` to the page's address, nothing cached by uv."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "strikeloom"
        begun = time.monotonic()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(target)], check=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("STRIKELOOM_")}
        environment["UV_CACHE_DIR"] = str(Path(folder) / "cache")
        process = subprocess.Popen(
            ["make", "demo"],
            cwd=target,
            env=environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        address = target / ".strikeloom-demo" / "monitor.url"
        while not address.exists() and process.poll() is None:
            time.sleep(0.2)
        took = time.monotonic() - begun
        answered = address.exists()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        shutil.rmtree(target, ignore_errors=True)
    if not answered:
        sys.exit("make demo ended without a page")
    return took


def _report(what: str, seconds: float, bar: float) -> None:
    print(f"{what}: {seconds:.1f} s, bar {bar:.0f} s, {seconds / bar:.2f} of it")


if __name__ == "__main__":
    _report("market and notebooks 01 to 04", own_work(), OWN_BAR)
    if "--clone" in sys.argv[1:]:
        _report("fresh clone to the page", clone(), CLONE_BAR)
