"""Holdings in contracts that the exchange changed in the stored days, each to its end.

What a contract became is read from the files by its id, without the code under test; what it
ended at is the exchange's own final value, or its settlement price on the last stored day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.desk import open_desk
from strikeloom.domain.instruments import (
    OptionContract,
    Share,
    as_option,
    instrument_key,
    instrument_of,
)
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, IntentState, OrderIntent, Purpose
from strikeloom.domain.products import Product
from strikeloom.exchange.account.position import NetPosition
from strikeloom.nse.sessions import session
from strikeloom.ports.desk import Desk
from strikeloom.trading.reconcile import reconcile
from support.few_symbols import history_of


@dataclass(frozen=True)
class Night:
    """The eve and the day of an event, its symbols before and after."""

    eve: date
    day: date
    symbols: tuple[str, ...]


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _night(eve: str, day: str, symbols: str) -> Night:
    return Night(_day(eve), _day(day), tuple(symbols.split()))


#: Every split, dividend with lower strikes and rename of the 53 days of 2026; no demerger is in
#: them.
OF_2026 = [
    _night("2026-01-01", "2026-01-02", "MCX"),
    _night("2026-01-13", "2026-01-14", "KOTAKBANK"),
    _night("2026-01-23", "2026-01-27", "WIPRO"),
    _night("2026-01-30", "2026-02-02", "BPCL"),
    _night("2026-02-03", "2026-02-04", "ITC"),
    _night("2026-02-04", "2026-02-05", "GAIL"),
    _night("2026-02-12", "2026-02-13", "NMDC"),
    _night("2026-02-17", "2026-02-18", "ONGC"),
    _night("2026-02-25", "2026-02-26", "ANGELONE"),
    _night("2026-02-26", "2026-02-27", "LTIM LTM"),
]
ENDS_2026 = [_day("2026-01-27"), _day("2026-02-24"), _day("2026-03-19")]
#: The three nights on which the exchange moved expiries of live index contracts.
OF_2025 = [
    _night("2025-01-01", "2025-01-02", "BANKNIFTY"),
    _night("2025-07-31", "2025-08-01", "NIFTY BANKNIFTY"),
    _night("2025-12-26", "2025-12-29", "NIFTY BANKNIFTY"),
]
ENDS_2025 = [
    _day(f"2025-{day}") for day in ("01-30", "02-27", "03-27", "06-26", "09-30", "12-30", "12-31")
]
#: The nights on which the exchange changed the lots of live index contracts.
OF_LOTS = [
    _night("2024-04-25", "2024-04-26", "NIFTY"),
    _night("2024-12-24", "2024-12-26", "BANKNIFTY"),
    _night("2024-12-26", "2024-12-27", "NIFTY"),
    _night("2025-04-24", "2025-04-25", "BANKNIFTY"),
    _night("2025-12-30", "2025-12-31", "NIFTY BANKNIFTY"),
]
#: With both days of each night on which expiries were moved: a contract is followed by its id.
ENDS_OF_LOTS = sorted(
    {day for night in OF_2025 for day in (night.eve, night.day)}
    | {_day(f"2024-{day}") for day in ("05-02", "05-09", "05-16", "05-23", "05-30", "06-27")}
    | {_day(day) for day in ("2024-09-26", "2024-12-26", "2025-03-27", "2025-06-26")}
    | {_day(day) for day in ("2025-09-30", "2025-12-30", "2025-12-31")}
)
_COLUMNS = ["symbol", "expiry", "strike", "right", "instrument_id", "lot_size", "settle",
            "final_settlement", "kind"]  # fmt: skip


def _options(history: ParquetHistory, day: date) -> pd.DataFrame:
    rows = history.contracts(day, columns=_COLUMNS)
    rows = rows[rows["right"] != "XX"].copy()
    parts = zip(rows["symbol"], rows["expiry"].dt.date, rows["strike"], rows["right"], strict=True)
    rows["key"] = [instrument_key(*part) for part in parts]
    return rows


def _changed(history: ParquetHistory, night: Night) -> pd.DataFrame:
    """Options of the eve whose name or lot is another on the day, by their ids."""
    before, after = _options(history, night.eve), _options(history, night.day)
    before = before[before["symbol"].isin(night.symbols)]
    before = before[before["expiry"].dt.date >= night.day]
    pairs = before.merge(after, on=["instrument_id", "right"], suffixes=("_old", "_new"))
    named = pairs["key_old"] != pairs["key_new"]
    same = pairs["strike_old"] == pairs["strike_new"]  # else the id is another contract's by now
    sized = (pairs["lot_size_old"] != pairs["lot_size_new"]) & (pairs["lot_size_old"] > 0) & same
    return pairs[named | sized]


def _hold(desk: Desk, night: Night, instrument: OptionContract, side: Side, price: int) -> str:
    """Put a holding of one lot on record on both sides, as traded at the close of the eve."""
    at, name = session(night.eve).close, f"{instrument.key}@{night.eve}"
    intent = OrderIntent(
        account=desk.account, market=desk.market, correlation_id=f"{name}-0-0-1",
        intent_id=name, position_id=name, purpose=Purpose.ENTRY, leg=0, slice=0, attempt=1,
        instrument=instrument, side=side, units=instrument.lot_size, limit=price, priority=0,
        why="held", created_at=at, state=IntentState.FILLED,
    )  # fmt: skip
    desk.store.record_intents([intent])
    desk.store.record_fills(
        [
            Fill(
                f"F-{name}", f"O-{name}", intent.correlation_id, instrument.key, side,
                instrument.lot_size, price, 0, at,
            )
        ]
    )  # fmt: skip
    return name


def carry_all(
    shared: Path, home: Path, nights: Sequence[Night], ends: Sequence[date], most: int | None
) -> Iterator[tuple[Night, int, int]]:
    """Hold changed contracts over each night and compare their ends; the last end is the last day.

    Parameters
    ----------
    most : int or None
        Contracts of a night, drawn with a fixed seed; ``None`` takes all.

    Yields
    ------
    tuple
        A night, its holdings, and those of them whose contract stayed on the lists.
    """
    days = sorted({day for night in nights for day in (night.eve, night.day)} | set(ends))
    symbols = sorted({symbol for night in nights for symbol in night.symbols})
    history, last = history_of(shared, home, symbols, days), ends[-1]
    history.find_actions()
    for night in nights:
        folder = home / f"{night.eve}" / "history"
        folder.mkdir(parents=True)
        (folder / "nse").symlink_to(history.folder)
        desk = open_desk("nse", night.eve, home=home / f"{night.eve}")
        desk.store.set_replay_time(session(night.eve).close)
        changed = _changed(history, night)
        if most is not None and len(changed) > most:
            changed = changed.sample(most, random_state=7)
        held: dict[str, tuple[Side, int, str, int]] = {}
        lots: dict[str, int] = {}
        ledger = desk.broker.engine._account.ledger  # type: ignore[attr-defined]
        with desk.broker.engine._account.transaction():  # type: ignore[attr-defined]
            ledger.begin_day(night.eve)
            for number, row in enumerate(changed.itertuples()):
                instrument = desk.instruments.instrument(row.key_old, night.eve)
                side = Side.SELL if number % 2 else Side.BUY
                known = 0.0 if pd.isna(row.settle_old) else row.settle_old
                price = max(5, round(known * 100 / 5) * 5)
                units, value = instrument.lot_size, instrument.lot_size * price
                ledger.save_position(
                    NetPosition(instrument, Product.MARGIN, night.eve).traded(side, units, value)
                )
                name = _hold(desk, night, instrument, side, price)
                same_quantity = row.strike_new == row.strike_old or row.lot_size_old == 0
                after = units if same_quantity else row.lot_size_new
                held[name], lots[name] = (side, after, row.key_new, value), row.lot_size_new
        desk.store.set_replay_time(session(night.day).open)
        state = reconcile(desk)
        assert list(state.differences) == []
        for name, (side, units, key, value) in held.items():
            (leg,) = state.positions[name].legs
            assert (leg.instrument.key, leg.net_units) == (key, side * units), name
            assert leg.open_value == side * value
            assert leg.instrument.lot_size == lots[name]
        yield night, len(held), _compare_ends(desk, history, held, night, last)
        desk.close()


def _compare_ends(
    desk: Desk,
    history: ParquetHistory,
    held: dict[str, tuple[Side, int, str, int]],
    night: Night,
    last: date,
) -> int:
    """Compare what settled and what is still open with the exchange's figures.

    Returns
    -------
    int
        Holdings whose contract stayed on the lists: the exchange removes what no one holds.
    """
    desk.store.set_replay_time(session(last).close)
    state = reconcile(desk)
    assert list(state.differences) == []
    assert desk.store.audit_positions() == []
    later = [day for day in history.days() if night.day <= day <= last]
    rows = {day: _options(history, day).set_index("key") for day in later}
    whole = 0
    for name, (side, units, key, value) in held.items():
        by_id, removed, old = key, False, rows[later[0]].loc[key]
        for day in later[1:]:  # moved once more, by its id
            if as_option(instrument_of(by_id)).expiry < day:
                break
            if by_id not in rows[day].index:
                new = rows[day][rows[day]["instrument_id"] == old["instrument_id"]]
                new = new[(new["right"] == old["right"]) & (new["strike"] == old["strike"])]
                removed = not len(new)  # by the exchange, which no one held it at; may come back
                if removed:
                    continue
                by_id = new.index[0]
            removed, old = False, rows[day].loc[by_id]
        leg, *delivered = desk.store.position(name).legs
        assert all(isinstance(other.instrument, Share) for other in delivered)
        assert leg.instrument.key == by_id, name
        assert leg.instrument.lot_size == old["lot_size"], name
        if removed:
            continue
        whole += 1
        end = leg.instrument.expiry
        if end > last:
            # the list of the last day has it, unless no one held it and the exchange removed it
            assert (leg.net_units, leg.realised) == (side * units, 0)
            continue
        assert leg.net_units == 0, name
        named = as_option(instrument_of(by_id))
        symbol, strike, right = named.symbol, named.strike, named.right
        ended = rows[end][(rows[end]["symbol"] == symbol)]["final_settlement"].dropna()
        final = round(ended.iloc[0] * 100)
        each = max(0, final - strike if right == "CE" else strike - final)
        assert leg.realised == side * (units * each - value), name
    return whole
