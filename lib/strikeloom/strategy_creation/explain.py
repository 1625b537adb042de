"""Reasons for a proposal, as sentences with their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from strikeloom.domain.conviction import Conviction
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Share
from strikeloom.domain.market import Evidence, MarketView
from strikeloom.domain.money import rupees, rupees_text
from strikeloom.domain.proposals import RiskSummary
from strikeloom.domain.templates import StructurePurpose
from strikeloom.nse.events import events_until
from strikeloom.quant.probability.past_moves import FEWEST_WINDOWS
from strikeloom.strategy_creation.basis import basis_of
from strikeloom.strategy_creation.chain import ChainExpiry
from strikeloom.strategy_creation.choose import Pick
from strikeloom.strategy_creation.delivery import delivery_need
from strikeloom.strategy_creation.real_world import blended
from strikeloom.strategy_creation.structure import Structure

_APART = 0.0005  # share of the price from which it is worth a sentence
_MISSED = 0.1  # expected moves from the wanted strike that are worth a sentence


def explain(pick: Pick, risk: RiskSummary, rate: float) -> tuple[str, ...]:
    """Sentences on why it was picked, view, volatility, legs, probabilities and cost.

    ``rate`` is the interest a year, continuously compounded.
    """
    structure = pick.structure
    chain, view, horizon = structure.chain, structure.view, structure.horizon
    votes = _votes(view.on_direction)
    rank = chain.rank
    if rank.percentile is not None:
        percentile = (
            f"at percentile {rank.percentile:.0f} of the last {rank.coverage}: {rank.regime}"
        )
    else:
        percentile = f"without a percentile ({rank.reason})"
    premium = "receives" if risk.net_premium >= 0 else "pays"
    legs = ", ".join(f"{leg.label} at {leg.price / 100:.2f}" for leg in structure.legs)
    roots = " and ".join(f"{x:,.2f}" for x in risk.breakevens) or "none"
    return (
        *_why(pick, risk),
        f"View {view.outlook} with strength {view.strength:z.2f}: {votes}.",
        _richness(view),
        f"At-the-money volatility {horizon.atm_iv:.1%}, {percentile}; smile of "
        f"{horizon.smile.used} traded options, fit error {100 * horizon.smile.error:.2f} points.",
        f"{structure.template.title}: {legs}.",
        *_strikes(structure),
        *_valued_at(structure),
        *_underlying(structure, rate),
        *_events(structure),
        f"One lot {premium} {rupees_text(abs(risk.net_premium))}; max profit "
        f"{rupees_text(risk.max_profit)}, max loss {rupees_text(risk.max_loss)}; "
        f"breakeven {roots}.",
        f"Probability of any profit {risk.probability_of_profit:.0%}, expected "
        f"{rupees_text(risk.expected_value, signed=True)} after charges of "
        f"{rupees_text(risk.charges)}; margin {rupees_text(risk.margin)} ({risk.margin_how}).",
        *_costs_and_shock(risk),
        _before_expiry(risk),
        _real_world(structure, risk),
        *_delivery(structure),
    )


def _why(pick: Pick, risk: RiskSummary) -> Iterator[str]:
    """What it earns, or protects, and how sure that is."""
    edge, error, funds = risk.edge, risk.error, round(float(pick.figures.funds) * 100)
    if edge is None or error is None:
        return
    template, horizon = pick.structure.template, pick.structure.horizon
    if template.purpose is StructurePurpose.PROTECT:
        yield (
            f"A hedge, not an earner: it loses at most {rupees_text(risk.max_loss)} until "
            f"{horizon.expiry}, and is expected to cost {rupees_text(-edge, signed=False)} after "
            f"a round trip of {rupees_text(risk.round_trip)}."
            if edge < 0
            else f"A hedge that costs nothing on average: it loses at most "
            f"{rupees_text(risk.max_loss)} until {horizon.expiry}."
        )
        return
    parts, quotes = dict(pick.score.parts), round(float(pick.figures.quotes_error) * 100)
    yield (
        f"Expected to earn {rupees_text(edge, signed=True)} after a round trip, give or take "
        f"{rupees_text(error)} by its quotes and the forecast ({rupees_text(quotes)} by its quotes "
        f"alone), on {rupees_text(funds)} that it binds after the worst shock, premium included: "
        f"{parts['earnings']:+z.2f} % a month, {parts['tail']:+z.2f} % for its tail, "
        f"{pick.score.total - parts['earnings'] - parts['tail']:+z.2f} % for how it fits."
    )
    yield (
        f"Conviction {pick.conviction:.0f} of 100 ({Conviction.of(pick.conviction)}); liquidity "
        f"of grade {risk.liquidity}."
    )


def _votes(evidence: Iterable[Evidence]) -> str:
    return "; ".join(f"{item.name} {item.value:z.2f} ({item.vote:+z.2f})" for item in evidence)


def _richness(view: MarketView) -> str:
    about = _votes(view.on_volatility)
    if view.volatility is None:
        return (
            f"No forecast to compare volatility with: {about}."
            if about
            else "No view of volatility."
        )
    lively = f"; {view.profile} beside the day's others" if view.profile else ""
    return f"Volatility is {view.volatility} ({view.richness:+z.2f}): {about}{lively}."


def _strikes(structure: Structure) -> Iterator[str]:
    """What the selectors wanted where the nearest tradable strike is another."""
    missed = []
    for leg, wanted in zip(structure.legs, structure.wanted, strict=True):
        if isinstance(leg.instrument, OptionContract):
            taken = rupees(leg.instrument.strike)
            deviation = structure.chain.by_date[leg.instrument.expiry].deviation
            if abs(taken - wanted) > _MISSED * deviation * taken:
                missed.append(f"{taken:g} {leg.instrument.right} for {wanted:,.2f}")
    if structure.possible > 1:
        yield (
            f"Best of {structure.tried:,} choices of strikes ({structure.possible:,} in reach), by "
            "what they earn after a round trip for the funds they need."
        )
    if missed:
        yield f"Other strikes than the template's own: {', '.join(missed)}."
    if structure.left_out:
        yield f"Left out for their closes: {'; '.join(map(str, structure.left_out))}."


def _valued_at(structure: Structure) -> Iterator[str]:
    """The day of the payoff, where legs end on different days or never."""
    ends = structure.horizon.expiry
    later = [
        leg.instrument
        for leg in structure.legs
        if not isinstance(leg.instrument, Share) and leg.instrument.expiry > ends
    ]
    options = [it.label for it in later if isinstance(it, OptionContract)]
    futures = [it.label for it in later if not isinstance(it, OptionContract)]
    parts = []
    if options:
        parts.append(
            f"{', '.join(options)} then at what the volatility of that expiry makes of the time "
            "that is left"
        )
    if futures:
        parts.append(f"{', '.join(futures)} without its carry beyond that day")
    if parts:
        yield f"Valued at the close of {ends}; {'; '.join(parts)}."


def _underlying(structure: Structure, rate: float) -> Iterator[str]:
    """How far what the underlying costs is from what its forward makes it worth."""
    legs = [leg for leg in structure.legs if not isinstance(leg.instrument, OptionContract)]
    apart = basis_of(structure.horizon, rate)
    for leg in legs:
        if round(abs(apart) * 100) == 0:
            continue
        share, units = abs(apart) / (leg.price / 100), abs(leg.signed_units)
        if share < _APART:
            continue
        side = "more" if apart > 0 else "less"
        share_held = isinstance(leg.instrument, Share)
        against = "its discounted forward" if share_held else "the forward of the options"
        cause = (
            "a dividend, or closes of different moments"
            if share_held
            else ("closes of different moments")
        )
        yield (
            f"{leg.instrument.label} costs {rupees_text(round(abs(apart) * units * 100))} "
            f"({share:.2%}) {side} than {against} for {abs(leg.signed_units):,} units: {cause}; "
            "not counted as earned or lost, but as an error."
        )


def _events(structure: Structure) -> Iterator[str]:
    """Known events before the structure ends."""
    ends = structure.horizon.expiry
    known = [event.sentence(ends) for event in events_until(structure.chain.events, ends)]
    if known:
        yield f"Prices may jump on known events: {'; '.join(known)}."


def _costs_and_shock(risk: RiskSummary) -> Iterator[str]:
    if risk.round_trip is not None:
        yield (
            f"Opening and closing it costs {rupees_text(risk.round_trip)} at today's prices: "
            "charges, and the width of the quotes."
        )
    if risk.shock:
        yield (
            f"After the shock '{risk.shock}' it binds {rupees_text(risk.margin_after)}: its margin "
            "then, with what was paid, less what was received."
        )


def _delivery(structure: Structure) -> Iterator[str]:
    need = delivery_need(structure)
    if need is not None:
        yield (
            f"Settled in shares: what is bought and in the money needs margin from {need.since} "
            f"on, on the last day the whole price, up to {rupees_text(need.most)}."
        )


def _before_expiry(risk: RiskSummary) -> str:
    half, touch, tail = risk.half_profit, risk.touch, risk.tail_mean
    parts = ["Before expiry: " + ("profit is unlimited, so it has no half" if half is None else
            f"half of the maximum profit is reached with probability {half:.0%}")]  # fmt: skip
    if touch is not None:
        parts.append(f"a sold strike is touched with probability {touch:.0%}")
    if tail is not None:
        parts.append(f"the worst 5 % of outcomes average {rupees_text(tail, signed=True)}")
    return "; ".join(parts) + "."


def _real_world(structure: Structure, risk: RiskSummary) -> str:
    """Figures under the real-world density, and what they come from."""
    vol, chance, value = risk.forecast_vol, risk.forecast_probability, risk.forecast_value
    if vol is None or chance is None or value is None:
        return "No forecast of volatility: too few complete daily bars are stored."
    figures = f"probability {chance:.0%}, expected {rupees_text(value, signed=True)}"
    tail = risk.forecast_tail
    if tail is not None:
        figures += f", worst 5 % on average {rupees_text(tail, signed=True)}"
    source = density_source(structure.horizon, structure.chain.underlying.kind, vol)
    return f"In the real world, without drift: {figures}; {source}."


def density_source(expiry: ChainExpiry, kind: InstrumentKind, vol: float) -> str:
    """What the real-world density of an expiry comes from; ``vol`` is its forecast, a year."""
    past = expiry.past
    windows = f"{past.windows} separate windows of {past.horizon} sessions"
    width = math.sqrt(float(blended([expiry])[0]) / expiry.years)
    made = (
        f"a volatility of {width:.1%}, the forecast from daily bars, {vol:.1%}, blended with what "
        f"options at the money cost, {expiry.atm_iv:.1%}"
    )
    if past.weight == 0:
        return (
            f"by {made}, and by nothing else, because past moves of the index have {windows}, and "
            f"{FEWEST_WINDOWS} are needed"
        )
    if kind is InstrumentKind.INDEX:
        return (
            f"by what the index did against its volatility index in {windows}, which count "
            f"{past.weight:.0%}, and by {made}"
        )
    return (
        f"as wide as {made}; in the shape that moves of the index had in {windows}, without their "
        f"skew, which counts {past.weight:.0%}"
    )
