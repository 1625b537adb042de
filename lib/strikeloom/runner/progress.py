"""Progress of a notebook, passed from its kernel by a small file in the run folder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strikeloom.domain.progress import Progress
from strikeloom.runner.record import Run

_FILE = ".progress"
_POLL_SECONDS = 0.2


def report_progress(run: Run) -> Progress:
    """Return a function that a step calls with pieces done and pieces in all."""
    target, part = run.folder / _FILE, run.folder / f"{_FILE}.part"

    def report(done: int, total: int) -> None:
        part.write_text(f"{done} {total}", encoding="utf-8")
        part.replace(target)

    return report


@contextmanager
def followed(folder: Path, show: Progress | None) -> Iterator[None]:
    """Show the progress in a run's folder until the block ends."""
    if show is None:
        yield
        return
    ended = threading.Event()

    def poll() -> None:
        while not ended.wait(_POLL_SECONDS):
            seen = _read(folder / _FILE)
            if seen:
                show(*seen)

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def forget(folder: Path) -> None:
    """Remove the file of a run that ended."""
    (folder / _FILE).unlink(missing_ok=True)


def _read(path: Path) -> tuple[int, int] | None:
    try:
        done, total = path.read_text(encoding="utf-8").split()
        return int(done), int(total)
    except (OSError, ValueError):
        return None
