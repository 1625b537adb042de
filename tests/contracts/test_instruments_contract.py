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
from support.local_exchange import local_exchange


@dataclass
class Case:
    """A list, one of its contracts, and a day on which it counts."""

    listed: Instruments
    key: str
    lot: int
    day: date


@pytest.fixture
def over_the_wire(tmp_path):
    with local_exchange(tmp_path, limits=False) as local:
        ours = OurSide(local, tmp_path)
        yield Case(ours.instruments, option(25_000).key, 65, local.clock.now().date())
        ours.close()


@pytest.fixture(params=["history", "dhan over the wire"])
def case(request, synthetic_history):
    if request.param == "dhan over the wire":
        return request.getfixturevalue("over_the_wire")
    listed = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    return Case(listed, "SYNDEX:2026-06-30:2830000:CE", 65, date(2026, 6, 10))


def test_a_contract_carries_its_own_lot_and_tick(case):
    found = case.listed.instrument(case.key, case.day)
    assert found.key == case.key
    assert (found.lot_size, found.tick, found.kind) == (case.lot, 5, InstrumentKind.INDEX)


def test_what_is_not_listed_is_an_error_that_names_it(case):
    symbol, expiry, *_ = case.key.split(":")
    for key in (f"{symbol}:{expiry}:9900000000:CE", f"{symbol}:2035-01-31:2500000:PE"):
        with pytest.raises(DataError, match=key):
            case.listed.instrument(key, case.day)


def test_an_underlying_is_known_and_an_unknown_one_is_an_error(case):
    symbol = case.key.split(":")[0]
    assert case.listed.underlying(symbol).symbol == symbol
    with pytest.raises(DataError, match="NOSUCH"):
        case.listed.underlying("NOSUCH")


def test_the_tick_of_an_underlying_is_that_of_its_contracts(case):
    instrument = case.listed.instrument(case.key, case.day)
    assert case.listed.tick(instrument.symbol, instrument.kind, case.day) == instrument.tick
