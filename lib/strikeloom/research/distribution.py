"""Where a price may be at an expiry: by what options cost, and in the real world beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.errors import DataError
from strikeloom.ports.desk import Desk
from strikeloom.quant.probability.at_expiry import Density, Law
from strikeloom.research.known_chain import KnownChain, read_chain
from strikeloom.research.shown import page, percent, with_units
from strikeloom.strategy_creation.explain import density_source
from strikeloom.strategy_creation.real_world import expiry_densities

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

_SHARES = (1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0)
_REACH = 4.0  # expected moves to each side of the forward
_NO_FORECAST = "no real-world density: too few complete daily bars for a forecast are stored"
_UNITS = {
    "level": "rupees", "move": "% of spot", "smile": "% per 1 % of forward",
    "real_world": "% per 1 % of forward", "smile_below": "%", "real_world_below": "%",
    "probability": "%", "smile_level": "rupees", "real_world_level": "rupees",
    "deviations": "expected moves", "low": "rupees", "high": "rupees", "smile_inside": "%",
    "real_world_inside": "%",
}  # fmt: skip


class Chances(NamedTuple):
    """A probability in per cent, under each density; ``None`` without a forecast."""

    smile: float
    real_world: float | None

    def __repr__(self) -> str:
        """Both, for a person."""
        return f"smile {percent(self.smile, 2)}, real world {percent(self.real_world, 2)}"


@dataclass(frozen=True, eq=False)
class Distribution:
    """Two densities of an underlying's price at the close of an expiry, the forward their mean.

    Attributes
    ----------
    spot, forward : float
        Rupees.
    expected_move : float
        One standard deviation of the logarithm of the price at the volatility at the money, %.
    source : str
        What the real-world density comes from, or why there is none.
    events : tuple of str
        Known events before the expiry.
    """

    symbol: str
    market: str
    day: str
    expiry: str
    days: int
    spot: float
    forward: float
    expected_move: float
    source: str
    notes: tuple[str, ...]
    _smile: Density = field(repr=False)
    _real: Density | None = field(repr=False)

    def below(self, level: float) -> Chances:
        """Probability of ending at or below a level, %."""
        return self._chances(self._moneyness(level), 0.0, 1.0)

    def above(self, level: float) -> Chances:
        """Probability of ending above a level, %."""
        return self._chances(self._moneyness(level), 1.0, -1.0)

    def between(self, low: float, high: float) -> Chances:
        """Probability of ending above ``low`` and at or below ``high``, %."""
        if not low < high:
            raise DataError(f"from {low:g} to {high:g} is no range; give the lower level first")
        first, last = self.below(low), self.below(high)
        real = first.real_world, last.real_world
        return Chances(
            last.smile - first.smile,
            None if real[0] is None or real[1] is None else real[1] - real[0],
        )

    def quantiles(self, probabilities: Sequence[float] = _SHARES) -> pd.DataFrame:
        """Levels below which the price ends with each probability in per cent, rupees.

        Raises
        ------
        DataError
            When a probability is not above 0 and below 100.
        """
        import pandas as pd

        shares = np.asarray(probabilities, dtype=np.float64)
        if not ((shares > 0) & (shares < 100)).all():
            raise DataError(
                f"probabilities {list(probabilities)} are in per cent, above 0 and below 100"
            )
        found = {"probability": shares, "smile_level": self._levels(self._smile, shares)}
        if self._real is not None:
            found["real_world_level"] = self._levels(self._real, shares)
        return with_units(pd.DataFrame(found), _UNITS)

    @property
    def deviations(self) -> pd.DataFrame:
        """One and two expected moves around the forward, and how likely the price ends inside."""
        import pandas as pd

        rows = []
        for count in (1, 2):
            move = count * self.expected_move / 100
            low, high = self.forward * math.exp(-move), self.forward * math.exp(move)
            inside = self.between(low, high)
            rows.append((count, low, high, inside.smile, inside.real_world))
        names = ["deviations", "low", "high", "smile_inside", "real_world_inside"]
        frame = pd.DataFrame(rows, columns=names)
        return with_units(frame.dropna(axis="columns"), _UNITS)

    def table(self, points: int = 161) -> pd.DataFrame:
        """Both densities for a figure, four expected moves to each side of the forward.

        A density is the probability in per cent of ending within 1 % of the forward around the
        level, as the mean over the cell up to the neighbours.

        Raises
        ------
        DataError
            With fewer than 3 points.
        """
        import pandas as pd

        if points < 3:
            raise DataError(f"{points} points make no density; give 3 or more")
        reach = _REACH * self.expected_move / 100
        k = np.linspace(-reach, reach, points)
        half = reach / (points - 1)
        edges = np.linspace(-reach - half, reach + half, points + 1)
        width = np.diff(np.exp(edges))  # shares of the forward
        levels = self.forward * np.exp(k)
        found = {"level": levels, "move": 100 * (levels / self.spot - 1)}
        for name, density in self._densities().items():
            found[name] = np.diff(density.cdf(edges)) / width
        for name, density in self._densities().items():
            found[f"{name}_below"] = 100 * density.cdf(k)
        return with_units(pd.DataFrame(found), _UNITS)

    def __repr__(self) -> str:
        """A few lines; figures are in ``quantiles()``, ``deviations`` and ``table()``."""
        return "\n".join((*self._lines(), self.deviations.round(2).to_string(index=False)))

    def _repr_html_(self) -> str:
        return page(self._lines(), self.deviations, self.quantiles())

    def _lines(self) -> list[str]:
        return [
            f"{self.symbol} at the close of {self.expiry}, seen on {self.day}, {self.market}",
            f"spot {self.spot:,.2f}, forward {self.forward:,.2f}, {self.days} days, expected move "
            f"{percent(self.expected_move, 2)}",
            f"real world: {self.source}",
            *(f"note: {text}" for text in self.notes),
        ]

    def _densities(self) -> dict[str, Density]:
        return {"smile": self._smile} | ({} if self._real is None else {"real_world": self._real})

    def _chances(self, k: float, start: float, side: float) -> Chances:
        found = [
            100 * (start + side * float(density.cdf(np.array([k]))[0]))
            for density in self._densities().values()
        ]
        return Chances(found[0], found[1] if len(found) > 1 else None)

    def _levels(self, density: Density, shares: Floats) -> Floats:
        return np.asarray(self.forward * np.exp(density.quantile(shares / 100)))

    def _moneyness(self, level: float) -> float:
        if not (level > 0 and math.isfinite(level)):
            raise DataError(f"level {level!r} of {self.symbol} is no price; give positive rupees")
        return math.log(level / self.forward)


def distribution(
    symbol: str,
    *,
    expiry: str | date = "",
    day: str | date = "",
    market: str = "",
    desk: Desk | None = None,
) -> Distribution:
    """Densities of an underlying's price at an expiry; parameters and errors as of ``chain``.

    Examples
    --------
    >>> research.distribution("NIFTY", day="2026-02-10").below(25500)  # doctest: +SKIP
    """
    return distribution_of(read_chain(symbol, day, market, desk), expiry)


def distribution_of(known: KnownChain, expiry: str | date = "") -> Distribution:
    """Densities on a chain that is read already."""
    it, whole = known.expiry(expiry), known.whole
    kind = whole.underlying.kind
    real = None if it.forecast is None else expiry_densities([(it, kind)])
    source = (
        _NO_FORECAST
        if it.forecast is None
        else density_source(it, kind, math.sqrt(it.forecast / it.years))
    )
    return Distribution(
        symbol=known.symbol,
        market=known.market,
        day=f"{whole.day}",
        expiry=f"{it.expiry}",
        days=(it.expiry - whole.day).days,
        spot=whole.spot,
        forward=it.forward,
        expected_move=100 * it.deviation,
        source=source,
        notes=known.notes,
        _smile=Law(np.array([it.forward]), it.smile.curves),
        _real=real,
    )
