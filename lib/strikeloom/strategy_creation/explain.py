"""Reasons for a proposal, as sentences with their numbers."""

from __future__ import annotations

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.money import rupees_text
from strikeloom.domain.proposals import RiskSummary
from strikeloom.quant.probability.past_moves import FEWEST_WINDOWS
from strikeloom.strategy_creation.build import Structure
from strikeloom.strategy_creation.load import Chain


def explain(structure: Structure, risk: RiskSummary) -> tuple[str, ...]:
    """Sentences on view, volatility, legs, probabilities and cost."""
    chain, view = structure.chain, structure.view
    votes = "; ".join(f"{e.name} {e.value:.2f} ({e.vote:+.2f})" for e in view.evidence)
    rank = chain.rank
    if rank.percentile is not None:
        percentile = (
            f"at percentile {rank.percentile:.0f} of the last {rank.coverage}: {rank.regime}"
        )
    else:
        percentile = f"without a percentile ({rank.reason})"
    premium = "receives" if risk.net_premium >= 0 else "pays"
    legs = ", ".join(
        f"{'sell' if leg.side < 0 else 'buy'} {leg.instrument.label} at {leg.price / 100:.2f}"
        for leg in structure.legs
    )
    roots = " and ".join(f"{x:,.2f}" for x in risk.breakevens) or "none"
    return (
        f"View {view.outlook} with strength {view.strength:.2f}: {votes}.",
        f"At-the-money volatility {chain.atm_iv:.1%}, {percentile}; smile of {chain.smile.used} "
        f"traded options, fit error {100 * chain.smile.error:.2f} points.",
        f"{structure.template.title}: {legs}.",
        f"One lot {premium} {rupees_text(abs(risk.net_premium))}; max profit "
        f"{rupees_text(risk.max_profit)}, max loss {rupees_text(risk.max_loss)}; "
        f"breakeven {roots}.",
        f"Probability of any profit {risk.probability_of_profit:.0%}, expected "
        f"{rupees_text(risk.expected_value, signed=True)} after charges of "
        f"{rupees_text(risk.charges)}; margin {rupees_text(risk.margin)} ({risk.margin_how}).",
        _before_expiry(risk),
        _real_world(chain, risk),
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


def _real_world(chain: Chain, risk: RiskSummary) -> str:
    """Figures under the real-world density, and what they come from."""
    vol, chance, value = risk.forecast_vol, risk.forecast_probability, risk.forecast_value
    if vol is None or chance is None or value is None:
        return "No forecast of volatility: too few complete daily bars are stored."
    figures = f"probability {chance:.0%}, expected {rupees_text(value, signed=True)}"
    tail = risk.forecast_tail
    if tail is not None:
        figures += f", worst 5 % on average {rupees_text(tail, signed=True)}"
    return f"In the real world, without drift: {figures}; {_source(chain, vol)}."


def _source(chain: Chain, vol: float) -> str:
    past = chain.past
    windows = f"{past.windows} separate windows of {past.horizon} sessions"
    if past.weight == 0:
        return (
            f"by the volatility forecast from daily bars alone, {vol:.1%}, because past moves of "
            f"the index have {windows}, and {FEWEST_WINDOWS} are needed"
        )
    if chain.underlying.kind is InstrumentKind.INDEX:
        return (
            f"by what the index did against its volatility index in {windows}, which count "
            f"{past.weight:.0%}, and the volatility forecast from daily bars, {vol:.1%}"
        )
    return (
        f"as wide as the volatility forecast from daily bars, {vol:.1%}, in the shape that moves "
        f"of the index had in {windows}, which counts {past.weight:.0%}"
    )
