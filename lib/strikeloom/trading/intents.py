"""Intents of a decision: one group of legs, each leg in slices, each slice in attempts."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from strikeloom.domain.instruments import FutureContract, Instrument, OptionContract, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.domain.orders import IntentState, OrderIntent, Purpose
from strikeloom.domain.positions import ExitRequest, Position
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import GuardError
from strikeloom.nse.freeze import slices
from strikeloom.settings.execution import ExecutionSettings
from strikeloom.trading.limits import limit_price

Trade = tuple[int, Instrument, int]  # leg, contract, signed units


@dataclass(frozen=True, slots=True)
class Pricing:
    """All that is needed to make an intent: its account, the market now, and the settings.

    Attributes
    ----------
    order_limit : callable
        Largest order in units of a contract; ``None`` where none is known.
    tick : callable
        Price step of a contract today, in paise; a contract may be held for longer than its step.
    """

    account: str
    market: str
    snapshot: MarketSnapshot
    settings: ExecutionSettings
    order_limit: Callable[[Instrument], int | None]
    tick: Callable[[Instrument], int]

    def today(self, instrument: Instrument) -> Instrument:
        """The contract with the price step in force."""
        return replace(instrument, tick=self.tick(instrument))

    def limit(self, instrument: Instrument, side: Side, purpose: Purpose) -> int:
        """Limit in paise of an order sent now.

        Raises
        ------
        NoQuote
            When the contract cannot be priced now.
        """
        return limit_price(
            instrument, side, purpose, self.snapshot.fresh(instrument), self.settings
        )

    def largest_order(self, instrument: Instrument, limit: int, purpose: Purpose) -> int | None:
        """Units of one order: an exit is cut at our own limits too, an entry above them is refused.

        What was small when it was opened may be worth more than one order may be.
        """
        listed = self.order_limit(instrument)
        if purpose is Purpose.ENTRY:
            return listed
        guards = self.settings.guards
        future = isinstance(instrument, FutureContract)
        rupees = guards.max_future_value if future else guards.max_order_value
        ours = rupees * PAISE_PER_RUPEE // limit
        if not isinstance(instrument, Share):
            ours = min(ours, guards.max_lots_per_order * instrument.lot_size)
        ours = max(ours, instrument.lot_size)  # above a limit with a single lot: a guard names it
        return ours if listed is None else min(ours, listed)


def intent_name(account: str, market: str, *parts: object) -> str:
    """Twelve safe characters that name a group of intents of one account."""
    text = "|".join([account, market, *map(str, parts)])
    return "I" + b32encode(hashlib.sha256(text.encode()).digest()).decode()[:11]


def correlation(intent_id: str, leg: int, slice_: int, attempt: int) -> str:
    """Key of one order: at most 30 characters of ``A-Z 0-9 -``."""
    return f"{intent_id}-{leg}-{slice_}-{attempt}"


def exit_name(
    of: Position | ExitRequest, target_lots: Sequence[int], purpose: Purpose = Purpose.EXIT
) -> str:
    """Name of the group that reduces a position of this revision to a target."""
    return intent_name(of.account, of.market, of.position_id, purpose, of.revision, *target_lots)


def entry_intents(pricing: Pricing, proposal: Proposal, lots: int) -> list[OrderIntent]:
    """Intents that open a strategy.

    Raises
    ------
    NoQuote
        When a leg cannot be priced now.
    """
    trades = [
        (number, leg.instrument, leg.signed_units * lots)
        for number, leg in enumerate(proposal.legs)
    ]
    position_id = proposal.strategy_id
    name = intent_name(pricing.account, pricing.market, position_id, Purpose.ENTRY)
    why = f"open {lots} lot{'s' * (lots != 1)} of {proposal.template} on {proposal.symbol}"
    return _intents(pricing, name, position_id, Purpose.ENTRY, trades, why)


def exit_intents(
    pricing: Pricing,
    position: Position,
    target_lots: Sequence[int],
    why: str,
    purpose: Purpose = Purpose.EXIT,
) -> list[OrderIntent]:
    """Intents that reduce a position to its target; none when the target is met.

    Only whole lots are traded: the exchange takes no order for the rest, nor for shares that
    were lacking for a delivery and that it buys in itself. A contract past its expiry waits for
    its settlement, and is left out.

    Raises
    ------
    GuardError
        When the target would add to a leg or change its sign.
    NoQuote
        When a leg cannot be priced now.
    """
    trades: list[Trade] = []
    today = pricing.snapshot.at.date()
    for leg, target in zip(position.legs, target_lots, strict=True):
        wanted = target * leg.instrument.lot_size
        if wanted * leg.net_units < 0 or abs(wanted) > abs(leg.net_units):
            raise GuardError(
                f"{position.position_id} leg {leg.leg} holds {leg.net_lots} lots; a target of "
                f"{target} would add to it or change its sign",
                guard="exits only reduce",
            )
        if target != leg.net_lots and leg.order_lots and not leg.has_ended(today):
            lots = target - leg.net_lots
            trades.append((leg.leg, leg.instrument, lots * leg.instrument.lot_size))
    if not trades:
        return []
    name = exit_name(position, target_lots, purpose)
    return _intents(pricing, name, position.position_id, purpose, trades, why)


def next_attempt(pricing: Pricing, old: OrderIntent, units: int) -> OrderIntent:
    """Next attempt of an ended intent, for its unfilled units, at a fresh price.

    Above the largest order of today it is for as much as one order may be; a later attempt is
    for the rest.

    Raises
    ------
    NoQuote
        When the leg cannot be priced now.
    """
    attempt, instrument = old.attempt + 1, pricing.today(old.instrument)
    limit = pricing.limit(instrument, old.side, old.purpose)
    most = pricing.largest_order(instrument, limit, old.purpose) or 0
    whole_lots = most // instrument.lot_size * instrument.lot_size
    return replace(
        old,
        correlation_id=correlation(old.intent_id, old.leg, old.slice, attempt),
        attempt=attempt,
        instrument=instrument,
        units=min(units, whole_lots) or units,
        limit=limit,
        created_at=pricing.snapshot.at,
        state=IntentState.NEW,
        note="",
    )


def _intents(
    pricing: Pricing,
    name: str,
    position_id: str,
    purpose: Purpose,
    trades: Sequence[Trade],
    why: str,
) -> list[OrderIntent]:
    now = pricing.snapshot.at
    intents: list[OrderIntent] = []
    stages = _stages(trades)
    for leg, held, signed in trades:
        side, instrument = _side(signed), pricing.today(held)
        limit = pricing.limit(instrument, side, purpose)
        most = pricing.largest_order(instrument, limit, purpose)
        parts = slices(abs(signed), instrument.lot_size, most)
        intents += [
            OrderIntent(
                account=pricing.account,
                market=pricing.market,
                correlation_id=correlation(name, leg, number, 1),
                intent_id=name,
                position_id=position_id,
                purpose=purpose,
                leg=leg,
                slice=number,
                attempt=1,
                instrument=instrument,
                side=side,
                units=units,
                limit=limit,
                priority=stages[side, isinstance(instrument, OptionContract)],
                why=why,
                created_at=now,
            )
            for number, units in enumerate(parts)
        ]
    return intents


def _side(signed: int) -> Side:
    return Side.BUY if signed > 0 else Side.SELL


def _stages(trades: Sequence[Trade]) -> dict[tuple[Side, bool], int]:
    """Stage of the orders of each side, for options (``True``) and for shares and futures.

    A stage is complete before the next begins. Buys go first: hedges open before what they
    protect, and what was sold is closed before them. Bought options open before the shares or
    futures that they protect, and sold ones close before those that cover them; of what is sold,
    shares and futures go before the options.
    """
    order = [(Side.BUY, True), (Side.BUY, False), (Side.SELL, False), (Side.SELL, True)]
    found = {(_side(signed), isinstance(held, OptionContract)) for _, held, signed in trades}
    stages: dict[tuple[Side, bool], int] = {}
    for place in order:
        if place in found:
            least = 0 if place[0] is Side.BUY else 1
            stages[place] = max(least, 1 + max(stages.values(), default=-1))
    return stages
