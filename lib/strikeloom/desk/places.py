"""Folders and files of a desk on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from strikeloom.desk.keys import environment
from strikeloom.domain.folders import project_root
from strikeloom.errors import SettingsError


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
    """Places from the environment; ``home`` overrides the home alone.

    Raises
    ------
    SettingsError
        When the home is no folder, or cannot be created or written.
    """
    root = project_root()
    given_home, given_runs = environment("STRIKELOOM_HOME"), environment("STRIKELOOM_RUNS")
    return Places(
        _usable((home or Path(given_home or root / ".strikeloom")).expanduser().absolute()),
        Path(given_runs or root / "runs").expanduser().absolute(),
    )


def _usable(home: Path) -> Path:
    """Create a home where it is missing.

    Raises
    ------
    SettingsError
        When it is no folder, or cannot be created or written.
    """
    if home.exists() and not home.is_dir():
        raise unusable(home, "it is a file")
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise unusable(home, f"it cannot be created: {error.strerror}") from None
    if not os.access(home, os.W_OK | os.X_OK):
        raise unusable(home, "it cannot be written")
    return home


def unusable(home: Path, reason: str) -> SettingsError:
    """Error for a home that cannot be used, with the remedy."""
    return SettingsError(
        f"home {home} cannot be used ({reason}); set STRIKELOOM_HOME to a folder you can write",
        home=str(home),
    )


def denied(error: OSError) -> SettingsError | None:
    """The same error where the system refused a file of the home; ``None`` for any other file."""
    try:
        home = places().home
    except SettingsError as whole:
        return whole
    if not isinstance(error.filename, str) or not Path(error.filename).is_relative_to(home):
        return None
    return unusable(home, f"{Path(error.filename).relative_to(home)}: {error.strerror}")


def notebooks_folder() -> Path:
    """The five notebooks."""
    return project_root() / "notebooks"


def desk_home() -> Path:
    """Home of the desks of this machine's user."""
    return places().home
