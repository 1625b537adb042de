"""Renamed symbols: former names lead to later ones, and an underlying's days are one series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.nse.corporate_actions import CorporateAction


class KnownAs(NamedTuple):
    """Symbol of an underlying on a day, and the renames between it and the name asked for."""

    symbol: str
    renames: tuple[CorporateAction, ...] = ()

    @property
    def note(self) -> str:
        """Who became whom, and when; empty where the name asked for is the symbol."""
        return "; ".join(map(str, self.renames))

    def __str__(self) -> str:
        """Symbol, with its renames."""
        return f"{self.symbol} ({self.note})" if self.renames else self.symbol


def known_as(name: str, day: date, actions: Iterable[CorporateAction]) -> KnownAs:
    """Symbol on a day of the underlying that has, had or will have a name.

    A former name leads to the later one. A later name leads back to the one of the day. A name
    that another underlying has taken over since is that underlying's.
    """
    renames = _renames(actions)
    symbol, path = name, list[CorporateAction]()
    for item in renames:
        if item.day <= day and item.successor == name:
            symbol, path = name, []
        elif item.day <= day and item.symbol == symbol:
            symbol = item.successor
            path.append(item)
    if path or any(item.day <= day and item.successor == name for item in renames):
        return KnownAs(symbol, tuple(path))
    for item in reversed(renames):
        if item.day > day and item.successor == symbol:
            symbol = item.symbol
            path.insert(0, item)
    return KnownAs(symbol, tuple(path))


def names_of(symbol: str, actions: Iterable[CorporateAction]) -> list[str]:
    """Names of the underlying that has a symbol after all of the actions, newest first."""
    names = [symbol]
    for item in reversed(_renames(actions)):
        if item.successor == names[-1]:
            names.append(item.symbol)
    return names


def under_later_names(
    symbols: NDArray[np.object_],
    days: NDArray[np.datetime64],
    actions: Iterable[CorporateAction],
) -> NDArray[np.object_]:
    """Symbols of dated rows under the names after all of the actions.

    A row is renamed only where it is older than the rename: a name may be used again.
    """
    import pandas as pd

    # compared as numbers: there are many more rows than symbols
    codes, known = pd.factorize(symbols)
    names = list(known)
    for item in _renames(actions):
        if item.symbol not in names:
            continue
        if item.successor not in names:
            names.append(item.successor)
        former = (codes == names.index(item.symbol)) & (days < np.datetime64(item.day, "D"))
        codes = np.where(former, names.index(item.successor), codes)
    return np.array(names, dtype=object)[codes] if names else symbols.astype(object)


def actions_under_later_names(actions: Iterable[CorporateAction]) -> list[CorporateAction]:
    """The actions, each under the name that its underlying has after all of them.

    A rename itself stays as it is: its former name is what it is about.
    """
    everything = list(actions)
    renames = _renames(everything)
    found = []
    for action in everything:
        symbol = action.symbol
        for item in renames:
            if not action.successor and item.day >= action.day and item.symbol == symbol:
                symbol = item.successor
        found.append(action if symbol == action.symbol else replace(action, symbol=symbol))
    return found


def _renames(actions: Iterable[CorporateAction]) -> list[CorporateAction]:
    return sorted((item for item in actions if item.successor), key=lambda item: item.day)
