"""What candidates earn for what they bind: the figures by which strikes and structures compete."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from strikeloom.quant.candidates.value import CandidateValues
from strikeloom.risk.candidates import CandidateMargins
from strikeloom.settings.creation import RiskProfile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Sessions of a month, by which earnings of different horizons are compared.
MONTH = 21
_LEAST_FUNDS = 1.0  # rupees; a structure that binds nothing is still divided by something


class CandidateFigures(NamedTuple):
    """Figures of n candidates, or of one; rupees of one unit.

    Attributes
    ----------
    max_profit, max_loss : ndarray
        Infinite is unlimited; a loss is positive.
    chance : ndarray
        Probability of a profit at the horizon, real world.
    edge : ndarray
        Real-world mean after the costs of a round trip.
    error : ndarray
        Standard error of the edge: of its quotes and of the width of the density, which are
        independent.
    quotes_error : ndarray
        The part from the prices' own: what their trades let expect, and at least what the prices
        disagree with the smile by.
    tail : ndarray
        Real-world mean of the worst 5 %, signed as profit, before costs.
    costs : ndarray
        Of a round trip, positive.
    margin : ndarray
        Now; what is paid for what is bought is no part of it.
    funds : ndarray
        Needed now or after the worst of the named shocks: the margin then, with what futures lost
        and what was paid, less what was received; at least the costs.
    decay : ndarray
        Gained by time alone until the horizon, if nothing moves.
    sold_calls, sold_puts : ndarray
        Lots of net sold options (``StrategyTemplate.net_sold``).
    """

    max_profit: Floats
    max_loss: Floats
    chance: Floats
    edge: Floats
    error: Floats
    quotes_error: Floats
    tail: Floats
    costs: Floats
    margin: Floats
    funds: Floats
    decay: Floats
    sold_calls: Floats
    sold_puts: Floats

    def row(self, at: int | NDArray[np.int64]) -> CandidateFigures:
        """One of them, or some."""
        return CandidateFigures(*(column[at] for column in self))


def figures_of(
    values: CandidateValues,
    need: CandidateMargins,
    paid: Floats,
    sold: Floats,
    aside: ArrayLike = 0.0,
) -> CandidateFigures:
    """Join values and margins.

    Parameters
    ----------
    paid : ndarray, shape (n,)
        Rupees paid today for what is bought, less what is received.
    sold : ndarray, shape (n, 2)
        Lots of net sold calls and puts.
    aside : array_like, shape (n,), default 0
        Set aside for the price of a delivery: no margin is less.
    """
    # at fair prices a structure is worth nothing under the smile's own density: what it is worth
    # there beyond the expected error is a mispriced close, or what the smile does not follow
    quotes = np.maximum(values.error, np.abs(values.smile.mean))
    margin = np.maximum(need.margin, np.reshape(aside, (-1, 1)))
    needed = margin - need.variation + paid[:, None]
    least = np.maximum(values.costs, _LEAST_FUNDS)
    return CandidateFigures(
        values.max_profit,
        values.max_loss,
        values.real.chance,
        values.real.mean - values.costs,
        np.hypot(quotes, values.width_error),
        quotes,
        values.real.tail,
        values.costs,
        margin[:, 0],
        np.maximum(needed.max(axis=1), least),
        values.decay,
        sold[:, 0],
        sold[:, 1],
    )


def at_risk(figures: CandidateFigures) -> Floats:
    """Maximum loss, at most the funds: a loss that ends at a price of 0 is as one without limit."""
    return np.minimum(figures.max_loss, figures.funds)


def monthly(amount: Floats, funds: Floats, sessions: int | Ints) -> Floats:
    """Rupees as per cent of funds, for a month of sessions."""
    return np.asarray(100 * amount / funds * (MONTH / np.maximum(sessions, 1)))


def shrunk(edge: Floats, error: Floats) -> Floats:
    """Edge times the share of its square that is not its error's; a loss is not shrunk.

    The best of thousands of noisy values would be the noisiest quote, and the one that most leans
    on the forecast.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        sure = np.where(edge > 0, np.square(edge / np.hypot(edge, error)), 1.0)
    return np.asarray(edge * sure)


def earning_rate(figures: CandidateFigures, sessions: int | Ints) -> Floats:
    """Shrunk edge, per cent of the funds a month."""
    return monthly(shrunk(figures.edge, figures.error), figures.funds, sessions)


def tail_rate(figures: CandidateFigures, sessions: int | Ints, price: float) -> Floats:
    """Price of what is lost in the tail, per cent of the funds a month; zero or negative.

    Parameters
    ----------
    price : float
        Rupees of edge that one rupee of loss in the tail costs.
    """
    return monthly(price * np.minimum(figures.tail, 0.0), figures.funds, sessions)


def ranking(figures: CandidateFigures, sessions: int | Ints, profile: RiskProfile) -> Floats:
    """What candidates earn for what they bind, per cent a month; -inf where unknown."""
    rank = earning_rate(figures, sessions) + tail_rate(figures, sessions, profile.tail_price)
    return np.asarray(np.where(np.isfinite(rank), rank, -np.inf))
