"""Underlyings of the synthetic market. Names and sectors are invented."""

from __future__ import annotations

from dataclasses import dataclass

from strikeloom.domain.instruments import InstrumentKind, Underlying


@dataclass(frozen=True, slots=True)
class Listing:
    """One underlying and the traits its prices are drawn from.

    Attributes
    ----------
    level : float
        Rupees on the first day.
    step : float
        Distance of neighbouring strikes in rupees.
    lot : int
        Units a lot.
    vol : float
        Long-run volatility per year.
    beta : float
        Share in the common factor.
    weeklies : bool
        Lists weekly expiries besides monthly ones.
    """

    symbol: str
    sector: str
    level: float
    step: float
    lot: int
    vol: float
    beta: float
    kind: InstrumentKind = InstrumentKind.STOCK
    weeklies: bool = False

    @property
    def underlying(self) -> Underlying:
        """The domain record."""
        return Underlying(self.symbol, self.kind, self.sector)


_STOCKS = """
AVANTIKA    Looms       1240  20  500  0.26 1.0
BANYANCO    Looms        415   5 1400  0.30 1.1
CHANDRAK    Looms       2860  50  200  0.22 0.8
DHRUVTEK    Software    3420  50  175  0.24 0.9
EKLAVYA     Software    1585  20  400  0.28 1.0
FALGUNI     Software     742  10  800  0.34 1.2
GANGOTRI    Lending      985  20  600  0.25 1.1
HIMSAGAR    Lending     1730  20  350  0.23 1.0
INDRANI     Lending      268   5 2500  0.31 1.3
JALTARANG   Lending      612  10  900  0.29 1.2
KAVERITE    Metals       158   2.5 4200 0.38 1.4
LOHAGARH    Metals       884  10  700  0.36 1.3
MANTHANA    Metals       463   5 1300  0.33 1.2
NILGIRIX    Energy       322   5 1900  0.27 0.9
OJASPOWER   Energy       236   2.5 2600 0.30 1.0
PRITHVIOIL  Energy      1395  20  450  0.22 0.8
QUTUBCEM    Builders    2240  20  250  0.25 0.9
RUDRAKSH    Builders     547  10 1000  0.30 1.1
SAGARIKA    Builders    3910  50  150  0.28 1.0
TARANGINI   Wellness    1120  20  500  0.24 0.7
USHAPHARM   Wellness    5630  50  100  0.23 0.6
VAIDYAN     Wellness     694  10  850  0.27 0.7
WAGHORA     Mobility    9150 100   75  0.26 1.0
XENONCAR    Mobility     812  10  750  0.29 1.1
YAMUNAEV    Mobility     354   5 1700  0.40 1.4
ZARIPHONE   Signals     1865  20  325  0.24 0.8
ANANTNET    Signals      184  2.5 3600 0.37 1.2
BELAFOODS   Pantry      2475  50  225  0.20 0.5
"""

LISTINGS: tuple[Listing, ...] = (
    Listing("SYNDEX", "Index", 24000.0, 100.0, 65, 0.135, 1.0, InstrumentKind.INDEX, weeklies=True),
    Listing("SYNBANK", "Index", 52000.0, 200.0, 30, 0.16, 1.15, InstrumentKind.INDEX),
    *(
        Listing(
            word[0],
            word[1],
            float(word[2]),
            float(word[3]),
            int(word[4]),
            float(word[5]),
            float(word[6]),
        )
        for word in (line.split() for line in _STOCKS.strip().splitlines())
    ),
)

#: One share becomes five in the middle of the window: strikes divided, lots multiplied.
SPLIT_SYMBOL = "SAGARIKA"
SPLIT_RATIO = 5
VOL_INDEX = "SYNVIX"
