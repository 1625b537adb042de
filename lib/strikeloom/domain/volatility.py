"""Volatility of an underlying on a day, and its rank in its own history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from strikeloom.domain.counted import counted
from strikeloom.domain.frames import Schema


class Regime(StrEnum):
    """Class of today's volatility within its history; thresholds are in ``config/iv.yaml``."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    ELEVATED = "ELEVATED"
    HIGH = "HIGH"


class ForwardSource(StrEnum):
    """How a forward was obtained, best first."""

    PARITY = "parity"
    FUTURE = "future"
    CARRIED = "carried"
    SPOT = "spot"


class Quality(StrEnum):
    """Grade of a 30-day volatility; the worse of the two expiries it is interpolated from."""

    A = "A"
    """Both expiries traded on both sides of the forward; each is known to 7.5 % of itself."""
    B = "B"
    """One side is bracketed by a single quote or none, or the tenor lies beyond the last expiry;
    the volatility is known to 15 % of itself."""
    C = "C"
    """An expiry was carried along the term structure that its peers traded that day."""


class Flag(StrEnum):
    """Remark on a row.

    The first three are about the 30-day volatility. ``flat_*``: another tenor is outside the known
    expiries and takes the volatility of the nearest; ``carried_*``: it uses an expiry carried
    from peers.
    """

    CARRIED = "carried_from_peers"
    BEFORE_FIRST = "before_first_expiry"
    AFTER_LAST = "after_last_expiry"
    FLAT_7 = "flat_7d"
    FLAT_60 = "flat_60d"
    FLAT_90 = "flat_90d"
    CARRIED_7 = "carried_7d"
    CARRIED_60 = "carried_60d"
    CARRIED_90 = "carried_90d"
    SKEW_HELD = "skew_of_one_expiry"
    FORWARD = "forward_without_parity"
    FORWARD_OFF = "forward_off_future"
    STALE_SPOT = "stale_spot"
    PRICE_GAP = "gap_in_prices"
    BROKEN = "price_step_without_ratio"
    ASKED = "price_step_unconfirmed"
    NO_PRICE = "no_price_of_the_day"


class Unsolved(StrEnum):
    """Reason why a row has no 30-day volatility."""

    NOT_LISTED = "no option listed beyond the day"
    NOT_TRADED = "no option traded"
    NO_FORWARD = "no forward: no parity, no future, no spot"
    NO_QUOTE = "no usable quote near the forward"
    THIN = "quotes too few, too old or too scattered to tell a volatility"
    ENDS_EARLY = "every series ends before its expiry, for a corporate action: none near 30 days"
    NO_TENOR = "no expiry near 30 days and too few peers to carry one"
    NO_EXPIRY = "no expiry with enough days and strikes to trade"


_TENORS = (7, 30, 60, 90)
_REALISED = tuple(f"rv_{name}_{n}" for n in (10, 20, 60) for name in ("cc", "pk", "gk", "yz"))

#: One row an underlying and day. Volatilities a year as fractions (0.18 is 18 %), NaN where
#: there is none; ``reason`` (``Unsolved``) is why the 30-day one is missing. ``atm_iv``,
#: ``expiry``, ``years``, ``forward``, ``forward_source``, ``forward_error`` (relative) and
#: ``strikes_used`` are of the first expiry far enough to trade. ``atm_iv_*d`` at constant days
#: ahead; ``model_free_30d`` from the smiles; ``vix_method`` the exchange's own, for an index with
#: two monthly futures. ``rr25``, ``bf25``: call less put, and their mean less at the money, at
#: 25 delta. ``term_slope`` is 60 less 30 days. ``rv_<estimator>_<sessions>``: cc close to close,
#: pk Parkinson, gk Garman-Klass, yz Yang-Zhang. ``pcr``: puts over calls, like all counts of
#: contracts that expire after the day. ``flags`` are ``Flag``
#: joined by blanks.
IV_SUMMARY = Schema(
    "historical_iv_summary",
    {
        "symbol": "text",
        "day": "date",
        "spot": "price",
        "atm_iv": "number",
        "expiry": "date",
        "years": "number",
        "forward": "price",
        "forward_source": "text",
        "forward_error": "number",
        "strikes_used": "count",
        **{f"atm_iv_{days}d": "number" for days in _TENORS},
        "model_free_30d": "number",
        "vix_method": "number",
        "rr25_30d": "number",
        "bf25_30d": "number",
        "term_slope": "number",
        **dict.fromkeys(_REALISED, "number"),
        "iv_minus_rv": "number",
        "pcr_volume": "number",
        "pcr_oi": "number",
        "expiries_listed": "count",
        "expiries_traded": "count",
        "options_listed": "count",
        "options_traded": "count",
        "options_fresh": "count",
        "quality": "text",
        "flags": "text",
        "reason": "text",
    },
    ("symbol", "day"),
)

#: Table of a day's partition that holds ``IV_EXPIRIES``.
EXPIRIES = "expiries"

#: One row an expiry, underlying and day: forward by its sources, the smile (``level`` to
#: ``right_width`` as in ``quant.smile.Curves``, ``smile`` its kind) and what is read from it;
#: ``atm_error`` is the relative standard error of ``atm_iv``.
IV_EXPIRIES = Schema(
    "iv_expiries",
    {
        "symbol": "text",
        "day": "date",
        "expiry": "date",
        "years": "number",
        "forward": "price",
        "forward_error": "number",
        "forward_source": "text",
        "parity_forward": "price",
        "parity_error": "number",
        "parity_strikes": "count",
        "future": "price",
        "discount": "number",
        "discount_error": "number",
        "smile": "text",
        "quotes": "count",
        "lowest": "number",
        "highest": "number",
        "residual": "number",
        "moved": "number",
        "atm_iv": "number",
        "atm_error": "number",
        "rr25": "number",
        "bf25": "number",
        "model_free": "number",
        "term_iv": "number",
        "quality": "text",
        **dict.fromkeys(
            (
                "level",
                "left",
                "right",
                "left_centre",
                "left_width",
                "right_centre",
                "right_width",
            ),
            "number",
        ),
    },
    ("symbol", "day", "expiry"),
)


@dataclass(frozen=True, slots=True)
class WindowRank:
    """Rank in one window; ``None`` while ``sample`` is below ``needed``.

    The window is the last ``sessions`` sessions of the exchange, the day's own included;
    ``sample`` of them have a volatility, the day's own included, and are all that it covers.
    """

    sessions: int
    percentile: float | None
    rank: float | None
    sample: int
    needed: int

    @property
    def missing(self) -> int:
        """Days still missing before the window may be used."""
        return max(0, self.needed - self.sample)

    @property
    def coverage(self) -> str:
        """Sessions that it really covers, for example ``160 of 252 sessions``."""
        return covered_sessions(self.sample, self.sessions)


@dataclass(frozen=True, slots=True)
class IvRank:
    """Rank of a 30-day volatility in the longest permitted window of its own history.

    ``percentile`` and ``rank`` are those of ``quant.ranks.rank_in_history``, today's volatility
    included. They cover ``sample`` of ``window_sessions`` sessions (``coverage``).

    With too few days ``percentile``, ``rank`` and ``regime`` are ``None`` and ``reason``
    names the days found and needed; never a made-up 50 %. ``windows`` holds every window, shortest
    first.
    """

    symbol: str
    day: date
    atm_iv: float | None
    percentile: float | None
    rank: float | None
    regime: Regime | None
    window_sessions: int | None
    sample: int
    needed: int
    reason: str = ""
    windows: tuple[WindowRank, ...] = ()

    @property
    def coverage(self) -> str:
        """Sessions that the window in use really covers; empty without one."""
        if self.window_sessions is None:
            return ""
        return covered_sessions(self.sample, self.window_sessions)


def covered_sessions(sample: int, sessions: int) -> str:
    """Sessions with a volatility, of those of a window: never the window's length alone.

    Examples
    --------
    >>> covered_sessions(160, 252), covered_sessions(21, 21)
    ('160 of 252 sessions', '21 of 21 sessions')
    """
    return f"{sample} of {counted(sessions, 'session')}"
