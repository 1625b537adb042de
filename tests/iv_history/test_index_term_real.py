"""Index expiries on real days: never carried where they have a level of their own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.domain.volatility import Quality
from strikeloom.iv_history import DaySummary, summarise_day
from strikeloom.settings.all import load_settings
from support.few_symbols import history_of
from support.synthetic_chains import walk

pytestmark = pytest.mark.realdata

INDICES = ["BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTY", "NIFTYNXT50"]
STOCKS = [
    "ADANIENT", "AXISBANK", "BAJFINANCE", "BHARTIARTL", "HDFCBANK", "ICICIBANK", "INFY", "ITC",
    "KOTAKBANK", "LT", "M&M", "MARUTI", "RELIANCE", "SBIN", "SUNPHARMA", "TATASTEEL", "TCS",
]  # fmt: skip
DAYS = [date(2026, 1, day) for day in (19, 20, 21, 22, 23)]
#: An own level of at most this relative error is known.
KNOWN = 0.15


@pytest.fixture(scope="module")
def solved(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[date, DaySummary]:
    home = tmp_path_factory.mktemp("indices")
    history = history_of(shared_data, home, [*INDICES, *STOCKS], DAYS)
    nothing, settings = walk(STOCKS[:1], DAYS[:1]).head(0), load_settings().iv
    return {day: summarise_day(history.contracts(day), nothing, day, settings) for day in DAYS}


def test_no_index_expiry_is_carried_whose_own_level_is_known(
    solved: dict[date, DaySummary],
) -> None:
    for found in solved.values():
        rows = found.expiries[found.expiries["symbol"].isin(INDICES)]
        carried = rows[rows["quality"] == Quality.C.value]
        assert not (carried["atm_iv"].notna() & (carried["atm_error"] <= KNOWN)).any()


def test_in_the_last_week_of_an_expiry_an_index_moves_with_the_others(
    solved: dict[date, DaySummary],
) -> None:
    """Along stocks FINNIFTY stood at 17.7 % on 2026-01-20, between 12.2 and 14.1 % beside it.

    BANKNIFTY was at 11.6, 12.3 and 13.5 % on the three days, and FINNIFTY's own February at 11.4.
    """
    month = {
        day: found.summary.set_index("symbol")["atm_iv_30d"] * 100 for day, found in solved.items()
    }
    monday, tuesday, wednesday = (month[day] for day in DAYS[:3])
    bank = tuesday["BANKNIFTY"]
    assert abs(tuesday["FINNIFTY"] - bank) < 1.5
    assert abs(tuesday["FINNIFTY"] - (monday["FINNIFTY"] + wednesday["FINNIFTY"]) / 2) < 1.5
    # along stocks NIFTYNXT50 rose from 19.2 to 25.7 % in the week, where NIFTY rose by 2.1
    following = [month[day]["NIFTYNXT50"] for day in DAYS]
    assert max(following) < 20
