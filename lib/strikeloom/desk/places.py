"""Folders and files of a desk on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from strikeloom.desk.keys import environment
from strikeloom.settings.all import project_root


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files of a home.

    Attributes
    ----------
    home : pathlib.Path
        ``STRIKELOOM_HOME``, by default ``.strikeloom/`` of the project.
    runs : pathlib.Path
        ``STRIKELOOM_RUNS``, by default ``runs/`` of the project.
    """

    home: Path
    runs: Path

    @property
    def store(self) -> Path:
        """The desk's store."""
        return self.home / "store.db"

    @property
    def quotes(self) -> Path:
        """Last-value cache of quotes."""
        return self.home / "quotes.db"

    @property
    def limits(self) -> Path:
        """File in which all processes count their calls to a broker."""
        return self.home / "limits.db"

    @property
    def histories(self) -> Path:
        """One folder for each market."""
        return self.home / "history"

    def history(self, market: str) -> Path:
        """Parquet files of a market."""
        return self.histories / market

    def downloads(self, market: str) -> Path:
        """Downloaded files of a market."""
        return self.home / "downloads" / market

    def instruments(self, market: str) -> Path:
        """A broker's instrument lists, one file a day."""
        return self.home / "instruments" / market

    def volatility(self, market: str) -> Path:
        """Results of stage 01 by day."""
        return self.home / "volatility" / market

    def account(self, account: str) -> Path:
        """The matching engine's own record of an account."""
        return self.home / "accounts" / f"{account.replace(':', '-')}.db"

    @property
    def arming(self) -> Path:
        """Which accounts are armed, a file each."""
        return self.home / "armed"

    def armed(self, account: str) -> Path:
        """Arming of an account for a day."""
        return self.arming / f"{account.replace(':', '-')}.json"

    def sent(self, account: str) -> Path:
        """Log of what was sent to a broker with real money, one file a day."""
        return self.home / "sent" / account.replace(":", "-")

    def lock(self, name: str) -> Path:
        """A lock file by name."""
        return self.home / "locks" / f"{name.replace(':', '-')}.lock"


def places(home: Path | None = None) -> Places:
    """Places from the environment; ``home`` overrides the home alone."""
    root = project_root()
    given_home, given_runs = environment("STRIKELOOM_HOME"), environment("STRIKELOOM_RUNS")
    return Places(
        (home or Path(given_home or root / ".strikeloom")).expanduser().absolute(),
        Path(given_runs or root / "runs").expanduser().absolute(),
    )


def notebooks_folder() -> Path:
    """The five notebooks."""
    return project_root() / "notebooks"


def desk_home() -> Path:
    """Home of the desks of this machine's user."""
    return places().home
