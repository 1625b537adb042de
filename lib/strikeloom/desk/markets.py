"""Market of a desk; a synthetic one is generated when it is missing."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from strikeloom.adapters.parquet.actions import uncompared
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.desk.keys import environment
from strikeloom.desk.places import Places
from strikeloom.domain.progress import Progress
from strikeloom.errors import SettingsError, WrongUsage
from strikeloom.exchange.market.synthetic import generate_synthetic, market_name, seed_of
from strikeloom.settings.all import Settings

EXCHANGE = "nse"


def resolve_market(asked: str, settings: Settings, where: Places) -> str:
    """Full name of a market.

    Parameters
    ----------
    asked : str
        ``nse``, ``synthetic-<seed>``, ``synthetic`` (the seed of ``config/desk.yaml``), or
        ``auto`` / empty: then ``STRIKELOOM_MARKET``, then ``config/desk.yaml``, then the
        exchange when any of its days are stored, else the synthetic market.

    Raises
    ------
    SettingsError
        For a name that is none of these; ``WrongUsage`` when it was asked for.
    """
    named = (asked, environment("STRIKELOOM_MARKET"), settings.desk.market)
    wanted = next((name for name in named if name and name != "auto"), "")
    if not wanted:
        stored = ParquetHistory(where.history(EXCHANGE), EXCHANGE).days()
        wanted = EXCHANGE if stored else "synthetic"
    if wanted == "synthetic":
        return market_name(settings.desk.synthetic_seed)
    if wanted == EXCHANGE or seed_of(wanted) is not None:
        return wanted
    raise (WrongUsage if wanted == asked else SettingsError)(
        f"market {wanted!r} is unknown; use nse, synthetic, synthetic-<seed> or auto",
        market=wanted,
    )


def open_history(market: str, where: Places, *, progress: Progress | None = None) -> ParquetHistory:
    """History of a market; a synthetic one is generated first when it is missing.

    It is generated in a temporary folder, under a lock, and then moved into place, so that a
    killed process never leaves an incomplete market.
    """
    folder = where.history(market)
    seed = seed_of(market)
    if seed is not None and not folder.exists():
        where.histories.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = where.lock(market)
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(lock):
            if not folder.exists():
                _generate(seed, market, folder, progress)
    history = ParquetHistory(folder, market)
    if market == EXCHANGE and uncompared(folder, history.days()):
        history.find_actions()
    return history


def _generate(seed: int, market: str, folder: Path, progress: Progress | None) -> None:
    prefix = f".{market}."
    for left in folder.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)  # of a killed process: we hold the lock
    beside = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        with _shown(market, progress) as step:
            generate_synthetic(seed, ParquetHistory(beside, market), progress=step)
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


@contextmanager
def _shown(market: str, progress: Progress | None) -> Iterator[Progress]:
    """Progress as given, else a bar on the terminal's standard error."""
    if progress is not None:
        yield progress
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"generating the market {market}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
