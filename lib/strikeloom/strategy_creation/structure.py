"""A structure: a template with its legs chosen on a chain, at the prices of the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strikeloom.domain.instruments import FutureContract, InstrumentKind, OptionContract
from strikeloom.domain.legs import Leg
from strikeloom.domain.market import MarketView
from strikeloom.domain.money import paise
from strikeloom.domain.outcomes import Rule
from strikeloom.domain.templates import LegTemplate, StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.quant.quoted_width import BUSY_LOTS
from strikeloom.strategy_creation.chain import Chain, ChainExpiry, UnderlyingQuote
from strikeloom.strategy_creation.contradictions import LeftOut
from strikeloom.strategy_creation.earnings import CandidateFigures
from strikeloom.strategy_creation.strikes import StrikeChoice
from strikeloom.strategy_creation.tradable import TradableStrikes


@dataclass(frozen=True)
class Structure:
    """A template with its legs chosen.

    Attributes
    ----------
    wanted : tuple of float
        Strike of each leg that its selector states, rupees, which the nearest tradable one may
        miss; NaN of the underlying.
    volumes : tuple of int
        Lots of each leg traded that day; of a share ``BUSY_LOTS``.
    left_out : tuple of LeftOut
        Contracts nearer to what a leg's selector states than the one taken, whose closes
        contradict others.
    tried, possible : int
        Choices of strikes that were valued, and those within reach.
    figures : CandidateFigures or None
        What competes, of one unit; ``None`` of a structure that no search found.
    """

    template: StrategyTemplate
    chain: Chain
    view: MarketView
    legs: tuple[Leg, ...]
    wanted: tuple[float, ...]
    volumes: tuple[int, ...]
    left_out: tuple[LeftOut, ...] = ()
    tried: int = 1
    possible: int = 1
    figures: CandidateFigures | None = None

    @property
    def thinnest(self) -> int:
        """Least volume of an option or future among the legs, in lots."""
        return min(self.volumes)

    @property
    def horizon(self) -> ChainExpiry:
        """The nearest expiry of its options, at which it is valued."""
        options = (leg.instrument for leg in self.legs)
        ends = min(it.expiry for it in options if isinstance(it, OptionContract))
        return self.chain.by_date[ends]

    @property
    def has_later_legs(self) -> bool:
        """Some of its options end after others."""
        options = (leg.instrument for leg in self.legs)
        return len({it.expiry for it in options if isinstance(it, OptionContract)}) > 1


def structure_of(
    template: StrategyTemplate,
    view: MarketView,
    strikes: TradableStrikes,
    chosen: Sequence[StrikeChoice],
) -> Structure:
    """Legs of chosen strikes at their closes.

    Raises
    ------
    NotBuildable
        When a lot size is unknown or they differ, the underlying cannot be a leg, or bought
        options cost nothing.
    """
    chain = strikes.chain
    options = [
        None if wanted.right is None else strikes.option(choice.expiry, wanted.right, choice.place)
        for wanted, choice in zip(template.legs, chosen, strict=True)
    ]
    sizes = {option.contract.lot_size for option in options if option}
    if len(sizes) > 1:
        raise NotBuildable(f"legs have different lot sizes {sorted(sizes)}", rule=Rule.LOT_SIZE)
    (size,) = sizes
    whole: list[Leg] = []
    volumes: list[int] = []
    for wanted, choice, option in zip(template.legs, chosen, options, strict=True):
        if option is not None:
            whole.append(Leg(option.contract, wanted.side, wanted.ratio, option.price))
            volumes.append(option.lots)
            continue
        # its quantity follows from the lots of the options
        quote = _underlying(chain, choice.expiry, size, strikes.fewest)
        volumes.append(BUSY_LOTS if quote.lots is None else quote.lots)
        whole.append(_underlying_leg(wanted, quote, size))
    wanted_strikes = tuple(choice.wanted for choice in chosen)
    return Structure(
        template,
        chain,
        view,
        tuple(whole),
        wanted_strikes,
        tuple(volumes),
        _left_out(strikes, whole, chosen),
    )


def _left_out(
    strikes: TradableStrikes, legs: Sequence[Leg], chosen: Sequence[StrikeChoice]
) -> tuple[LeftOut, ...]:
    """Contracts that are nearer to the wanted strikes, each once."""
    found: dict[LeftOut, None] = {}
    for leg, choice in zip(legs, chosen, strict=True):
        if isinstance(leg.instrument, OptionContract):
            away = abs(leg.instrument.strike / 100 - choice.wanted)
            for it in strikes.left_out(choice.expiry, leg.instrument.right):
                if abs(it.strike - choice.wanted) < away:
                    found[it] = None
    return tuple(found)


def _underlying(chain: Chain, expiry: ChainExpiry, size: int, fewest: int) -> UnderlyingQuote:
    """The underlying as a leg beside options of an expiry in lots of ``size``."""
    quote = expiry.underlying
    if quote is None and chain.underlying.kind is InstrumentKind.STOCK:
        raise NotBuildable("the price of its share is not known that day", rule=Rule.UNDERLYING)
    if quote is None:
        raise NotBuildable(
            f"no future traded that lives until {expiry.expiry}", rule=Rule.UNDERLYING
        )
    future = quote.instrument
    if isinstance(future, FutureContract) and future.lot_size != size:
        raise NotBuildable(
            f"its future has lots of {future.lot_size}, its options of {size}", rule=Rule.LOT_SIZE
        )
    if quote.lots is not None and quote.lots < fewest:
        raise NotBuildable(
            f"{future.label} traded {quote.lots} lots; at least {fewest} are needed",
            rule=Rule.UNDERLYING,
            value=quote.lots,
            threshold=fewest,
            remedy=f"passes from {fewest} lots",
        )
    return quote


def _underlying_leg(wanted: LegTemplate, quote: UnderlyingQuote, size: int) -> Leg:
    """A future counts lots as the options do; a share counts units."""
    future = isinstance(quote.instrument, FutureContract)
    lots = wanted.ratio if future else wanted.ratio * size
    price = paise(quote.price, what=f"price of {quote.instrument.label}")
    return Leg(quote.instrument, wanted.side, lots, price)
