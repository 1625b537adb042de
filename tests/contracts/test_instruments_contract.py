"""What every list of instruments keeps."""

from dataclasses import dataclass
from datetime import date

import pytest

from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import DataError
from strikeloom.ports.instruments import Instruments
from support.dhan_client import OurSide
from support.fakes import option
from support.local_exchange import FUTURE, SHARE, local_exchange


@dataclass
class Case:
    """A list, one of its instruments with its lot and tick, and a day on which it counts."""

    listed: Instruments
    key: str
    lot: int
    tick: int
    kind: InstrumentKind
    day: date


#: Key, lot and tick by kind of instrument: of the synthetic history, and of the local exchange.
HISTORY = {
    "option": ("SYNDEX:2026-06-30:2830000:CE", 65, 5),
    "future": ("SYNDEX:2026-06-30:FUT", 65, 10),
    "share": ("AVANTIKA:SHARE", 1, 10),
}
WIRE = {
    "option": (option(25_000).key, 65, 5),
    "future": (FUTURE.key, 65, 10),
    "share": (SHARE.key, 1, 10),
}
RIGHTS = {"option": "", "future": "XX", "share": "EQ"}


@pytest.fixture(params=["option", "future", "share"])
def kind(request):
    return request.param


@pytest.fixture
def over_the_wire(tmp_path, kind):
    with local_exchange(tmp_path, limits=False) as local:
        ours = OurSide(local, tmp_path)
        of = InstrumentKind.STOCK if kind == "share" else InstrumentKind.INDEX
        yield Case(ours.instruments, *WIRE[kind], of, local.clock.now().date())
        ours.close()


@pytest.fixture(params=["history", "dhan over the wire"])
def case(request, kind, synthetic_history):
    if request.param == "dhan over the wire":
        return request.getfixturevalue("over_the_wire")
    listed = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    of = InstrumentKind.STOCK if kind == "share" else InstrumentKind.INDEX
    return Case(listed, *HISTORY[kind], of, date(2026, 6, 10))


def test_an_instrument_carries_its_own_lot_and_tick(case):
    found = case.listed.instrument(case.key, case.day)
    assert found.key == case.key
    assert (found.lot_size, found.tick, found.kind) == (case.lot, case.tick, case.kind)


def test_what_is_not_listed_is_an_error_that_names_it(case):
    symbol = case.key.split(":")[0]
    for key in (f"{symbol}:2035-01-31:2500000:PE", f"{symbol}:2035-01-31:FUT"):
        with pytest.raises(DataError, match=key):
            case.listed.instrument(key, case.day)


def test_an_underlying_is_known_and_an_unknown_one_is_an_error(case):
    symbol = case.key.split(":")[0]
    assert case.listed.underlying(symbol).symbol == symbol
    with pytest.raises(DataError, match="NOSUCH"):
        case.listed.underlying("NOSUCH")


def test_the_tick_of_an_underlying_is_that_of_its_instruments(case, kind):
    instrument = case.listed.instrument(case.key, case.day)
    named = instrument.symbol, instrument.kind, case.day, RIGHTS[kind]
    assert case.listed.tick(*named) == instrument.tick


def test_nothing_becomes_of_an_instrument_without_an_event(case):
    instrument = case.listed.instrument(case.key, case.day)
    assert case.listed.adjustments(instrument, case.day, case.day) == []


def test_a_share_of_an_index_is_an_error_that_names_it(case, kind):
    if kind != "share":
        key = f"{case.key.split(':')[0]}:SHARE"
        with pytest.raises(DataError, match=key):
            case.listed.instrument(key, case.day)
