"""Positions kept as rows agree with their fills, in whatever order these arrive."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.adapters.sqlite.store import SqliteStore, open_store
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, IntentState, OrderIntent, Purpose
from strikeloom.errors import StoreError
from strikeloom.monitor import watch
from strikeloom.trading.intents import correlation
from support.desk import MadeDesk
from support.fakes import ist, option

NOW = ist("2026-02-11 10:00")
CONTRACTS = [option(24_800), option(25_000)]
LOT = 65


def intent(number: int, leg: int, side: Side, units: int, purpose: Purpose) -> OrderIntent:
    name = f"I{number}"
    return OrderIntent(
        "replay:made", "made", correlation(name, leg, 0, 1), name, "S1", purpose, leg, 0, 1,
        CONTRACTS[leg], side, units, 100, 0, "test", NOW, IntentState.WORKING,
    )  # fmt: skip


def fill(number: int, of: OrderIntent, price: int, charges: int, seconds: int) -> Fill:
    at = NOW + timedelta(seconds=seconds)
    return Fill(
        f"F{number}",
        "",
        of.correlation_id,
        of.instrument.key,
        of.side,
        of.units,
        price,
        charges,
        at,
    )


trades = st.lists(
    st.tuples(
        st.integers(0, 1),  # leg
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 4),  # lots
        st.sampled_from([Purpose.ENTRY, Purpose.EXIT, Purpose.UNWIND]),
        st.integers(5, 500_00),
        st.integers(0, 10_000),
        st.integers(0, 20),  # seconds: fills arrive out of turn, and several in one second
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("positions")


@settings(deadline=None, max_examples=60)
@given(rows=trades, twice=st.booleans())
def test_rows_add_up_to_the_fills(folder: Path, rows: list, twice: bool) -> None:
    path = folder / "store.db"
    path.unlink(missing_ok=True)
    store = open_store(path, "made", "replay:made")
    try:
        for number, (leg, side, lots, purpose, price, charges, seconds) in enumerate(rows):
            order = intent(number, leg, side, lots * LOT, purpose)
            store.record_intents([order])
            booked = fill(number, order, price, charges, seconds)
            assert store.record_fills([booked]) == 1
            if twice:
                assert store.record_fills([booked]) == 0
        assert store.audit_positions() == []
        (position,) = store.positions(open_only=False)
        assert position.revision == len(rows)
        assert position.opened_at == NOW + timedelta(seconds=min(row[6] for row in rows))
        for held in position.legs:
            mine = [row for row in rows if row[0] == held.leg]
            assert held.net_units == sum(int(side) * lots * LOT for _, side, lots, *_ in mine)
            assert held.charges == sum(row[5] for row in mine)
            # what was paid is in what is held or realised, to the paisa
            paid = sum(int(side) * lots * LOT * price for _, side, lots, _, price, *_ in mine)
            assert held.open_value - held.realised == paid
            entry = sum(
                int(side) * lots * LOT * price
                for _, side, lots, purpose, price, *_ in mine
                if purpose is Purpose.ENTRY
            )
            assert held.entry_value == entry
            if not held.net_units:
                assert held.open_value == 0
        is_held = any(held.net_units for held in position.legs)
        assert [p.position_id for p in store.positions()] == (["S1"] if is_held else [])
    finally:
        store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = open_store(tmp_path / "store.db", "made", "replay:made")
    yield made
    made.close()


def traded(store: SqliteStore) -> None:
    order = intent(1, 0, Side.BUY, 2 * LOT, Purpose.ENTRY)
    store.record_intents([order])
    store.record_fills([fill(1, order, 120_00, 500, 0)])


def test_each_change_of_a_position_has_a_version_and_its_id_stays(store: SqliteStore) -> None:
    traded(store)
    (first,) = store.db.rows("SELECT id, version FROM positions")
    order = intent(2, 0, Side.SELL, LOT, Purpose.EXIT)
    store.record_intents([order])
    store.record_fills([fill(2, order, 130_00, 500, 5)])
    (second,) = store.db.rows("SELECT id, version FROM positions")
    assert (first["id"], second["id"]) == (first["id"], first["id"])
    assert (first["version"], second["version"]) == (1, 2)


def test_an_altered_row_is_found_and_recomputed(store: SqliteStore) -> None:
    traded(store)
    before = store.positions()
    with store.db.transaction() as db:
        db.execute("UPDATE position_legs SET net_units = net_units + 65")
    assert store.audit_positions() == ["S1"]
    store.rebuild_positions(["S1"])
    assert store.audit_positions() == []
    assert store.positions() == before


def test_a_fill_and_its_position_are_written_together_or_not_at_all(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = intent(1, 0, Side.BUY, 2 * LOT, Purpose.ENTRY)
    store.record_intents([order])

    def failing(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr("strikeloom.adapters.sqlite.order_rows.update_positions", failing)
    with pytest.raises(StoreError, match="disk full"):
        store.record_fills([fill(1, order, 120_00, 500, 0)])
    assert store.fills() == []
    assert store.positions(open_only=False) == []


def test_groups_stay_open_when_another_process_has_written_since(
    store: SqliteStore, tmp_path: Path
) -> None:
    first, late = (intent(n, n - 1, Side.BUY, LOT, Purpose.ENTRY) for n in (1, 2))
    store.record_intents([first, late])
    store.record_fills([fill(1, first, 120_00, 0, 0)])
    counted = store.change_count()
    other = open_store(tmp_path / "store.db", "made", "replay:made")
    other.record_fills([fill(2, late, 120_00, 0, 5)])
    other.close()
    assert not store.close_groups(["I1", "I2"], counted)
    assert {i.intent_id for i in store.open_record().intents} == {"I1", "I2"}
    assert store.close_groups(["I1"], store.change_count())
    assert {i.intent_id for i in store.open_record().intents} == {"I2"}
    third = intent(3, 0, Side.SELL, LOT, Purpose.EXIT)
    store.record_intents([third])
    store.record_fills([fill(3, third, 130_00, 0, 9)])  # a new fill opens them again
    assert {i.intent_id for i in store.open_record().intents} == {"I1", "I2", "I3"}


def test_a_store_of_the_version_before_gets_its_positions(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    package = files("strikeloom.adapters.sqlite.migrations")
    new = open_store(tmp_path / "new.db", "made", "replay:made")
    traded(new)
    with sqlite3.connect(path) as old:
        for name in ("0001_first.sql", "0002_volatility.sql"):
            old.executescript(package.joinpath(name).read_text("utf-8"))
        old.execute("PRAGMA user_version = 2")
        old.execute("ATTACH ? AS new", (str(tmp_path / "new.db"),))
        columns = ", ".join(r[1] for r in old.execute("PRAGMA table_info(order_intents)"))
        old.execute(
            f"INSERT INTO order_intents ({columns}) "  # noqa: S608 (columns of the table itself)
            f"SELECT {columns} FROM new.order_intents"
        )
        old.execute("INSERT INTO fills SELECT * FROM new.fills")
    old.close()
    upgraded = open_store(path, "made", "replay:made")
    assert upgraded.positions() == new.positions() != []
    assert upgraded.audit_positions() == []
    upgraded.close()
    new.close()


def test_a_watcher_begins_with_the_audit(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    position = made.enter(made.spread(), 2)
    with made.store.db.transaction() as db:
        db.execute("UPDATE position_legs SET net_units = 0, open_value = 0")
        db.execute("UPDATE positions SET open = 0")
    watch(made.desk, made.clock, once=True)
    assert [p.position_id for p in made.store.positions()] == [position.position_id]
    assert made.store.position(position.position_id) == position
    assert any("were recomputed" in alert.text for alert in made.store.alerts())
    made.close()
