"""A structure in rupees: a template's best choice of strikes, or legs as they are written."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from strikeloom.domain.instruments import OptionContract, Share
from strikeloom.domain.money import rupees
from strikeloom.domain.proposals import RiskSummary
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.errors import NotBuildable, WrongUsage
from strikeloom.nse.events import events_until
from strikeloom.ports.desk import Desk
from strikeloom.research.known_chain import KnownChain, read_chain
from strikeloom.research.own_legs import no_view, own_structure
from strikeloom.research.priced import PricedStructure
from strikeloom.research.shown import with_units
from strikeloom.strategy_creation.buildable import best_buildable
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.evaluate import evaluate
from strikeloom.strategy_creation.search import prepare_search, search_all
from strikeloom.strategy_creation.structure import Structure
from strikeloom.strategy_creation.tradable import TradableStrikes

if TYPE_CHECKING:
    import pandas as pd

_UNITS = {
    "side": "", "lots": "lots", "contract": "", "expiry": "", "strike": "rupees", "right": "",
    "price": "rupees a unit", "units": "units", "traded": "lots",
}  # fmt: skip
_SIDES = ("BUY", "SELL", "B", "S")


def structure(
    symbol: str,
    what: str | Sequence[str],
    *,
    lots: int = 1,
    expiry: str | date = "",
    day: str | date = "",
    market: str = "",
    desk: Desk | None = None,
    risk: str = "",
) -> PricedStructure:
    """A structure of an underlying at the closes of a day.

    Parameters
    ----------
    what : str or sequence of str
        A template's name (``strikeloom strategies list``), built with the strikes that strategy
        creation would choose; or legs as ``strikeloom identify`` reads them, in a list or with
        semicolons between: ``"SELL 1 26000 CE 2026-02-26"``.
    lots : int
        Multiplies every leg.
    expiry : str or datetime.date
        Of legs that state none; empty: the front. A template states its own.
    risk : str
        Risk profile whose rules the choice of strikes passes if it can; empty: the one of
        ``config/creation.yaml``.

    The others, and further errors, are as of ``chain``.

    Raises
    ------
    WrongUsage
        When ``what`` is neither a template nor legs (names the nearest template), or ``lots`` is
        not positive.
    NotBuildable
        When the template has no choice of strikes that day; names why.
    DataError
        When a contract is not listed or did not trade that day; names the nearest that did.

    Examples
    --------
    >>> research.structure("NIFTY", "iron_condor", day="2026-02-10")  # doctest: +SKIP
    """
    known = read_chain(symbol, day, market, desk)
    return structure_from(known, what, lots=lots, expiry=expiry, risk=risk)


def structure_from(
    known: KnownChain,
    what: str | Sequence[str],
    *,
    lots: int = 1,
    expiry: str | date = "",
    risk: str = "",
) -> PricedStructure:
    """A structure on a chain that is read already; as ``structure``."""
    if lots < 1:
        raise WrongUsage(f"{lots} lots make no structure; give 1 or more")
    names: tuple[StrategyTemplate, ...]
    if isinstance(what, str) and what.strip() in TEMPLATES:
        template = TEMPLATES[what.strip()]
        found, names = _best(known, template, risk), (template,)
    else:
        found, names = own_structure(known, _legs(what), f"{expiry}")
    legs = tuple(replace(leg, lots=leg.lots * lots) for leg in found.legs)
    made = replace(found, legs=legs, figures=None)
    (value,) = evaluate([made], known.rate, known.creation.shocks)
    return _priced(known, made, names, value, lots)


def _legs(what: str | Sequence[str]) -> list[str]:
    texts = what.split(";") if isinstance(what, str) else list(what)
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise WrongUsage("no legs are given; write for example 'SELL 26000 CE; BUY 26200 CE'")
    if isinstance(what, str) and texts[0].upper().replace(":", " ").split()[0] not in _SIDES:
        near = difflib.get_close_matches(what.strip().lower().replace(" ", "_"), TEMPLATES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "strikeloom strategies list shows all"
        raise WrongUsage(f"{what!r} is neither a template nor legs; {hint}")
    return texts


def _best(known: KnownChain, template: StrategyTemplate, risk: str) -> Structure:
    creation, chain = known.creation, known.chain
    strikes = TradableStrikes(chain, creation.min_lots_traded)
    try:
        prepared = prepare_search(
            strikes, creation.search, creation.profile(risk), creation.shocks, known.rate
        )
        searched = search_all(prepared, [template])
        if template.name in searched.refused:
            raise searched.refused[template.name]
        return best_buildable(prepared, searched, template, no_view(chain))
    except NotBuildable as reason:
        raise NotBuildable(
            f"{template.title} on {known.symbol}, {chain.day}: {reason}", **reason.facts
        ) from None


def _priced(
    known: KnownChain,
    made: Structure,
    names: tuple[StrategyTemplate, ...],
    risk: RiskSummary,
    lots: int,
) -> PricedStructure:
    ends = made.horizon.expiry
    real, whole = risk.forecast_value, risk.round_trip
    after = None if real is None or whole is None else real + risk.charges - whole
    return PricedStructure(
        symbol=known.symbol,
        market=known.market,
        day=f"{made.chain.day}",
        horizon=f"{ends}",
        names=tuple(item.name for item in names),
        title=" or ".join(item.title for item in names) or made.template.title,
        lots=lots,
        premium=rupees(risk.net_premium),
        max_profit=math.inf if risk.max_profit is None else rupees(risk.max_profit),
        max_loss=math.inf if risk.max_loss is None else rupees(risk.max_loss),
        breakevens=risk.breakevens,
        probability=100 * risk.probability_of_profit,
        probability_real=_percent(risk.forecast_probability),
        expected=rupees(risk.expected_value),
        expected_real=_rupees(real),
        tail=_rupees(risk.tail_mean),
        tail_real=_rupees(risk.forecast_tail),
        after_round_trip=_rupees(after),
        half_profit=_percent(risk.half_profit),
        touch=_percent(risk.touch),
        charges=rupees(risk.charges),
        round_trip=_rupees(whole),
        margin=rupees(risk.margin),
        margin_how=risk.margin_how,
        margin_after=_rupees(risk.margin_after),
        shock=risk.shock,
        delta=risk.delta,
        gamma=risk.gamma,
        theta=rupees(risk.theta),
        vega=rupees(risk.vega),
        tried=made.tried,
        possible=made.possible,
        events=tuple(event.sentence(ends) for event in events_until(made.chain.events, ends)),
        notes=(*_old(known, made), *_unsecured(made, names), *known.notes),
        legs=_legs_table(made),
        _structure=made,
        _rate=known.rate,
    )


def _unsecured(made: Structure, names: tuple[StrategyTemplate, ...]) -> list[str]:
    """What legs alone do not state: whether cash is set aside for what they may have to buy."""
    if made.template.cash_secured:
        return []
    return [
        f"margin is without cash for the price of delivery; {item.name!r} has it"
        for item in names
        if item.cash_secured
    ]


def _old(known: KnownChain, made: Structure) -> list[str]:
    """Legs whose close is older than the closing half hour."""
    found = []
    for leg in made.legs:
        it = leg.instrument
        if isinstance(it, OptionContract):
            rows = known.listed[it.expiry]
            mine = (rows["strike"] == rupees(it.strike)) & (rows["right"] == it.right.value)
            settle = float(rows.loc[mine, "settle"].iloc[0])
            if math.isfinite(settle) and settle != leg.price / 100:
                found.append(f"{it.label} last traded before the closing half hour")
    return found


def _legs_table(made: Structure) -> pd.DataFrame:
    """One row a leg; the underlying has no strike, and what of a share traded is not counted."""
    import pandas as pd

    rows = []
    for leg, traded in zip(made.legs, made.volumes, strict=True):
        it = leg.instrument
        rows.append(
            {
                "side": leg.side.word,
                "lots": leg.lots,
                "contract": it.label,
                "expiry": "" if isinstance(it, Share) else f"{it.expiry}",
                "strike": rupees(it.strike) if isinstance(it, OptionContract) else None,
                "right": it.right.value if isinstance(it, OptionContract) else "",
                "price": rupees(leg.price),
                "units": leg.signed_units,
                "traded": None if isinstance(it, Share) else traded,
            }
        )
    return with_units(pd.DataFrame(rows), _UNITS)


def _rupees(paise: int | None) -> float | None:
    return None if paise is None else rupees(paise)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
