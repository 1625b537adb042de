"""Record what the exchange made of contracts while the account held them. Sends nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from strikeloom.domain.adjustments import ContractAdjustment, LegAdjustment
from strikeloom.domain.instruments import Instrument, Share
from strikeloom.domain.money import rupees_text
from strikeloom.domain.orders import IntentState, OrderIntent, Purpose
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import Position
from strikeloom.domain.quantities import quantity
from strikeloom.errors import BrokerError, DataError, StoreError
from strikeloom.nse.edges import expected_after
from strikeloom.nse.sessions import has_opened
from strikeloom.ports.desk import Desk
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.alert import alert


class AdjustmentCheck:
    """Carries the held contracts of one account through the exchange's adjustments.

    Each contract is searched once after the open of a day, and at every reading before it; a
    position that becomes known later, at once.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._searched: dict[tuple[str, int, str], date] = {}

    def record(self, state: AccountState) -> int:
        """Record adjustments of the legs of open positions, with one alert for each event.

        Legs that hold nothing are adjusted too: the payoff of a position is of all its legs.

        Returns
        -------
        int
            Positions that were changed.
        """
        found: list[LegAdjustment] = []
        lines: dict[str, list[str]] = defaultdict(list)
        today, searched = state.at.date(), dict(self._searched)
        for position in state.positions.values():
            for leg in position.legs:
                held, units = leg.instrument, leg.net_units
                for change in self._changes(position, leg, today):
                    found.append(LegAdjustment(position.position_id, leg.leg, change))
                    if units:
                        name = position.position_id
                        lines[change.cause].append(_line(name, held, units, change))
                    held, units = change.new, change.units(units)
        # reported first: once they are recorded they are not found again
        for cause, texts in lines.items():
            alert(self._desk, "warning", f"{cause}. {'; '.join(texts)}")
        try:
            return self._desk.store.record_adjustments(found, state.at) if found else 0
        except StoreError:
            self._searched = searched  # nothing was recorded: they are found again
            raise

    def end_intents(self, state: AccountState) -> int:
        """End intents that were not sent and whose contract was adjusted since. Returns how many.

        An exit is made again for the contract as it is now; an entry is refused.
        """
        ended = 0
        for intent in state.intents():
            if intent.state is not IntentState.NEW or intent.created_at.date() >= state.at.date():
                continue
            cause = self._cause(state, intent)
            if cause:
                entry = intent.purpose is Purpose.ENTRY
                ended += self._desk.store.move_intent(
                    intent.correlation_id,
                    expected={IntentState.NEW},
                    to=IntentState.REFUSED if entry else IntentState.ENDED,
                    note=f"not sent: {cause}",
                    at=state.at,
                )
        return ended

    def _cause(self, state: AccountState, intent: OrderIntent) -> str:
        """What changed the contract of an intent since it was made; empty for nothing."""
        day = intent.created_at.date()
        place = (intent.correlation_id, intent.leg, intent.instrument.key)
        changes = self._search(place, intent.instrument, day, state.at.date())
        return "; ".join(change.cause for change in changes)

    def _changes(
        self, position: Position, leg: PositionLeg, today: date
    ) -> Iterable[ContractAdjustment]:
        """What became of a leg since it has its present contract.

        Shares that are owed follow to the day of their auction: they are bought in as of that day.
        They keep the day of their delivery, and pay no dividend here.
        """
        since = leg.since or position.opened_at.date()
        place = (position.position_id, leg.leg, leg.instrument.key)
        if not leg.is_owed:
            return self._search(place, leg.instrument, since, today)
        found = self._search(place, leg.instrument, since, min(today, expected_after(since)))
        known = {
            it.change.day
            for it in self._desk.store.adjustments(position_id=position.position_id)
            if found and it.leg == leg.leg
        }
        return [it for it in found if not it.amount and it.day not in known]

    def _search(
        self, place: tuple[str, int, str], held: Instrument, since: date, today: date
    ) -> Iterable[ContractAdjustment]:
        if since >= today or self._searched.get(place) == today:
            return ()
        try:
            found = self._desk.instruments.adjustments(held, since, today)
        except (BrokerError, DataError, StoreError) as error:
            # one unreadable file must not stop the exits of every position
            text = f"{place[0]}: whether {held.label} was adjusted is not known: {error}"
            alert(self._desk, "critical", text)
            return ()
        if has_opened(self._desk.clock.now()):  # before that the day's list may be missing
            self._searched[place] = today
        return found


def _line(name: str, held: Instrument, units: int, change: ContractAdjustment) -> str:
    """What a holding has become, and what of it the exchange takes no order for."""
    after, lot = change.units(units), change.new.lot_size
    if isinstance(change.new, Share) and change.amount:
        paid = rupees_text(after * change.amount)
        return (
            f"{name}: {quantity(held, units)} pay {paid} to the holder's bank account; it is in no "
            "P&L and no cash of the account, and the price fell without it"
        )
    if isinstance(change.new, Share):
        now = quantity(change.new, after)
        return f"{name}: {quantity(held, units)} are {now} since {change.day}"
    text = f"{name}: {units} units of {held.label} are {after} of {change.new.label}"
    if change.new.key == change.old:
        text = f"{name}: {units} units of {held.label} are in lots of {lot}"
    text += f" since {change.day}"
    if change.amount:
        carried = f"carried forward at a price lower by {rupees_text(change.amount)}"
        return f"{name}: {quantity(held, units)} are {carried} since {change.day}"
    odd = abs(after) % lot
    if not odd:
        return text
    return (
        f"{text}. {odd} of them make no whole lot: the exchange takes no order for these, and "
        f"settles them on {change.new.expiry}; an exit trades the other {abs(after) - odd}"
    )
