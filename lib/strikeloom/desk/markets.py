"""Which market a desk opens, and making the synthetic one when it is missing."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import SettingsError
from strikeloom.exchange.market import generate_synthetic, market_name, seed_of
from strikeloom.settings.desk import DeskSettings

EXCHANGE = "nse"


def resolve_market(name: str, home: Path, settings: DeskSettings) -> str:
    """Full name of a market.

    ``auto`` is the exchange when any of its days are stored, else the synthetic market.

    Raises
    ------
    SettingsError
        When the name is unknown.
    """
    wanted = name or settings.market
    synthetic = market_name(settings.synthetic_seed)
    if wanted == "auto":
        return (
            EXCHANGE if ParquetHistory(home / "history" / EXCHANGE, EXCHANGE).days() else synthetic
        )
    if wanted == "synthetic":
        return synthetic
    if wanted == EXCHANGE or seed_of(wanted) is not None:
        return wanted
    raise SettingsError(f"market {wanted!r} is unknown; use nse, synthetic or synthetic-<seed>")


def open_history(home: Path, market: str) -> ParquetHistory:
    """History of a market; a missing synthetic one is drawn first, whole or not at all."""
    folder = home / "history" / market
    seed = seed_of(market)
    if seed is not None and not (folder / "underlyings.json").exists():
        _draw(folder, market, seed)
    return ParquetHistory(folder, market)


def _draw(folder: Path, market: str, seed: int) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f"{market}.lock"):
        if (folder / "underlyings.json").exists():
            return  # another process drew it while we waited
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".drawing-") as made:
            from rich.console import Console
            from rich.progress import Progress

            console = Console(stderr=True, quiet=not sys.stderr.isatty())
            with Progress(console=console, transient=True) as bar:
                task = bar.add_task(f"drawing the synthetic market {market}", total=None)
                generate_synthetic(
                    seed,
                    ParquetHistory(Path(made) / market, market),
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(Path(made) / market, folder)
