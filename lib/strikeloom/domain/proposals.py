"""Proposals: strategies built from one chain at one time, with risk and score."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from strikeloom.domain.legs import Leg
from strikeloom.domain.market import Outlook
from strikeloom.domain.templates import Stance, StructurePurpose, Tier
from strikeloom.domain.volatility import Regime


@dataclass(frozen=True, slots=True)
class RiskSummary:
    """Risk of one unit of a strategy; extremes are exact, from the payoff's kinks.

    Money in paise for one unit (all legs at their ratio, one lot each). ``None`` means
    unlimited. Greeks are for one unit: delta in units of the underlying, gamma per rupee,
    theta paise per calendar day, vega paise per volatility point.

    Attributes
    ----------
    breakevens : tuple of float
        Rupees.
    probability_of_profit : float
        Of any profit at expiry, on the smile, before charges.
    expected_value : int
        Mean profit at expiry on the smile, after the charges of opening.
    half_profit : float or None
        Probability of reaching half of the maximum profit at any time until expiry (P50);
        ``None`` where the profit is unlimited.
    touch : float or None
        Probability that the price touches a sold strike until expiry, for the likeliest one;
        ``None`` without a sold leg.
    tail_mean : int or None
        Mean profit of the worst 5 % of outcomes, after the charges of opening; ``None`` only
        in proposals of an earlier version.
    forecast_vol, forecast_probability, forecast_value, forecast_tail
        Annual volatility forecast from daily bars; probability of profit, expected value and mean
        of the worst 5 % (after charges) under the real-world density instead of the smile's,
        without drift. ``None`` where the underlying lacks a complete month of bars, the last
        also in proposals of an earlier version.
    past_windows : int
        Separate windows of past index moves behind the real-world density; with fewer than 24 it
        is of the forecast alone.
    round_trip : int or None
        Costs of opening and closing at today's prices: charges, and the quoted width as measured.
    margin_after, shock : int or None, str
        The funds that the structure binds: the most that is needed now or after one of the named
        shocks, as margin, for what futures lost and for what was paid, less what was received; and
        that shock, empty where nothing is needed beyond what was paid. It is ``margin_after`` of a
        front and ``funds`` of an outcome. Proposals of an earlier version have the margin alone.

    edge, error : int or None
        Real-world mean after a round trip, and the standard error that the quotes and the width of
        the density give it.
    funds : int or None
        Needed after the worst of the named shocks, with what is paid for what is bought: what the
        score counts in.
    decay : int or None
        Gained by time alone until the horizon, if nothing moves.
    liquidity : str
        Grade of its thinnest leg and its costs, A to D.
    delivery_margin : int or None
        On the last day of a stock's options, the price of the shares that bought ones in the money
        would bring or take; ``None`` where nothing is delivered.

    From ``round_trip`` on they are missing in proposals of an earlier version.
    """

    net_premium: int
    max_profit: int | None
    max_loss: int | None
    breakevens: tuple[float, ...]
    probability_of_profit: float
    expected_value: int
    delta: float
    gamma: float
    theta: int
    vega: int
    margin: int
    margin_how: str
    charges: int
    half_profit: float | None = None
    touch: float | None = None
    tail_mean: int | None = None
    forecast_vol: float | None = None
    forecast_probability: float | None = None
    forecast_value: int | None = None
    forecast_tail: int | None = None
    past_windows: int = 0
    round_trip: int | None = None
    margin_after: int | None = None
    shock: str = ""
    edge: int | None = None
    error: int | None = None
    funds: int | None = None
    decay: int | None = None
    liquidity: str = ""
    delivery_margin: int | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """What a structure earns for what it binds, per cent of its funds a month; sum of its parts.

    Parts: ``earnings`` (real-world mean after a round trip, shrunk by its error),
    ``tail`` (the price of its worst outcomes, negative), and how it fits, by component.
    """

    total: float
    parts: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A strategy priced on one chain, ready to be compared, allocated and explained.

    ``version`` counts the figures that the same legs had in runs of the day; the store numbers it.

    Attributes
    ----------
    conviction : float or None
        0 to 100 (``Conviction.of`` names it); ``None`` in proposals of an earlier version.
    purpose : StructurePurpose
        A hedge is proposed for what it protects and earns nothing.
    """

    strategy_id: str
    market: str
    day: date
    symbol: str
    sector: str
    template: str
    tier: Tier
    stance: Stance
    exit_plan: str
    legs: tuple[Leg, ...]
    risk: RiskSummary
    score: Score
    reasons: tuple[str, ...]
    chain_id: str
    spot: int
    forward: float
    atm_iv: float
    regime: Regime | None
    view: Outlook
    version: int = 1
    conviction: float | None = None
    purpose: StructurePurpose = StructurePurpose.EARN


def strategy_id(market: str, day: date, symbol: str, template: str, legs: Iterable[Leg]) -> str:
    """Id of a strategy from its content: the same legs on the same day give the same id.

    Returns
    -------
    str
        ``S`` and eleven characters of base 32, from a hash of market, day, symbol, template,
        and each leg's contract, side and ratio (prices excluded).
    """
    parts = [market, day.isoformat(), symbol, template]
    parts += sorted(f"{leg.instrument.key}|{int(leg.side)}|{leg.lots}" for leg in legs)
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return "S" + b32encode(digest).decode()[:11]
