"""``explain``: how every structure of a symbol ended on a day, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strikeloom.cli.options import Day, Json, Market, desk_of, symbol_on, trading_day_of
from strikeloom.cli.since import show_since, since_fields, since_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from strikeloom.domain.legs import Leg
    from strikeloom.domain.outcomes import Outcome
    from strikeloom.domain.proposals import Proposal
    from strikeloom.nse.events import KnownEvent

Symbol = Annotated[str, typer.Argument(help="Underlying, for example NIFTY.")]


def explain(symbol: Symbol, day: Day = "", market: Market = "", as_json: Json = False) -> None:
    """Show what was picked, beaten and refused on a symbol, each with its reason and numbers.

    Once later days are stored, also what each would have earned since, after costs.

    Example: strikeloom explain NIFTY --date 2026-02-10
    """
    from strikeloom.cli import console
    from strikeloom.domain.counted import counted
    from strikeloom.domain.outcomes import Ending
    from strikeloom.errors import StageError
    from strikeloom.strategy_creation.chain_events import symbol_events

    if day:
        trading_day_of(day)
    desk = desk_of(market, day)
    name = symbol_on(desk.history.as_of(desk.day), symbol)
    proposals = [row for row in desk.store.proposals(desk.day) if row.symbol == name]
    outcomes = desk.store.outcomes(desk.day, name)
    if not proposals and not outcomes:
        raise StageError(
            f"no structure of {name} is stored for {desk.day} on market {desk.market}; is it "
            f"listed? strikeloom run strategy-creation --date {desk.day} covers every symbol"
        )
    events = symbol_events(desk, name)
    since = since_of(desk, outcomes)
    if as_json:
        console.as_json(
            {
                "symbol": name,
                "day": desk.day,
                "events": [_event(row) for row in events],
                "proposals": [_proposal(row) for row in proposals],
                "outcomes": [
                    {**_outcome(row), "since": since_fields(since.get(row.template))}
                    for row in outcomes
                ],
            }
        )
        return
    counts = Counter(row.ending for row in outcomes)
    console.print_line(
        f"{name} on {desk.day}: {counted(len(outcomes), 'structure')}, "
        + ", ".join(f"{counts[ending]} {ending}" for ending in Ending)
    )
    for event in events:
        console.print_line(f"Known event: {event.text} ({event.kind}; {event.source})")
    for proposal in proposals:
        _show(proposal)
    _show_nearest(proposals, outcomes)
    beaten = [row for row in outcomes if row.ending is Ending.BEATEN]
    if beaten:
        console.table("Beaten", ["structure", "why"],
                      [(row.template, row.reason) for row in beaten])  # fmt: skip
    refused = [row for row in outcomes if row.ending is Ending.REFUSED]
    if refused:
        refused.sort(key=lambda row: (row.rule, row.template))
        console.table("Refused", ["structure", "rule", "why", "what would pass"],
                      [(row.template, row.rule.value, row.reason, row.remedy)
                       for row in refused])  # fmt: skip
    show_since(outcomes, since)


def _show(proposal: Proposal) -> None:
    from strikeloom.cli import console
    from strikeloom.domain.money import rupees_text

    risk = proposal.risk
    console.print_line(
        f"{proposal.strategy_id}  {proposal.template}  score {proposal.score.total:z.2f} % a month"
    )
    for leg in proposal.legs:
        console.print_line(f"    {leg.label} at {rupees_text(leg.price)}")
    console.print_line(
        f"    max profit {rupees_text(risk.max_profit)}, max loss "
        f"{rupees_text(risk.max_loss)}, margin {rupees_text(risk.margin)}"
    )
    for reason in proposal.reasons:
        console.print_line(f"    - {reason}")


def _show_nearest(proposals: Sequence[Proposal], outcomes: Sequence[Outcome]) -> None:
    """Where nothing is worth it: what came nearest."""
    from strikeloom.cli import console
    from strikeloom.domain.templates import StructurePurpose
    from strikeloom.strategy_creation.propose import why_nothing

    if any(row.purpose is not StructurePurpose.PROTECT for row in proposals):
        return
    for sentence in why_nothing(outcomes):
        console.print_line(sentence)


def _proposal(row: Proposal) -> dict[str, Any]:
    """What identifies and ranks it; money in paise, as of an outcome."""
    return {
        "id": row.strategy_id,
        "template": row.template,
        "purpose": row.purpose.value,
        "score": row.score.total,
        "score_parts": dict(row.score.parts),
        "conviction": row.conviction,
        "legs": _legs(row.legs),
        "expected_value": row.risk.edge,
        "error": row.risk.error,
        "margin": row.risk.margin,
        "funds": row.risk.funds,
        "reasons": row.reasons,
    }


def _legs(legs: Sequence[Leg]) -> list[dict[str, Any]]:
    return [{"leg": leg.label, "price": leg.price} for leg in legs]


def _event(row: KnownEvent) -> dict[str, Any]:
    """Every field but the place in the file; the time as text, ``None`` if not known."""
    whole = {name: getattr(row, name) for name in row.__dataclass_fields__ if name != "where"}
    return {**whole, "at": f"{row.at:%H:%M}" if row.at else None}


def _outcome(row: Outcome) -> dict[str, Any]:
    """Every field; money in paise, legs as text."""
    whole = {name: getattr(row, name) for name in row.__dataclass_fields__}
    return {**whole, "ending": row.ending.value, "rule": row.rule.value, "legs": _legs(row.legs)}


COMMANDS = (explain,)
