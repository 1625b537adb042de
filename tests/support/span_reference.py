"""Margin by a plain loop over CME's published table of scenarios.

It shares nothing with the package but the parameters: prices are of the textbook formula, the
table is written out, expiries and legs are walked one at a time.
"""

from __future__ import annotations

from fractions import Fraction
from math import erf, log, sqrt

#: Scenarios 1 to 16 of CME SPAN: price move in thirds of the scan range, volatility, share.
TABLE = [
    (0, 1, 1.0), (0, -1, 1.0), (1, 1, 1.0), (1, -1, 1.0), (-1, 1, 1.0), (-1, -1, 1.0),
    (2, 1, 1.0), (2, -1, 1.0), (-2, 1, 1.0), (-2, -1, 1.0), (3, 1, 1.0), (3, -1, 1.0),
    (-3, 1, 1.0), (-3, -1, 1.0), (6, 0, 0.35), (-6, 0, 0.35),
]  # fmt: skip


def textbook_price(forward, strike, years, vol, call):
    if years <= 0 or vol <= 0:
        return max(0.0, (forward - strike) if call else (strike - forward))
    deviation = vol * sqrt(years)
    d1 = log(forward / strike) / deviation + deviation / 2
    sign = 1 if call else -1

    def probability(z):
        return (1 + erf(z / sqrt(2))) / 2

    return sign * (forward * probability(sign * d1) - strike * probability(sign * (d1 - deviation)))


def _delta(forward, strike, years, vol, call):
    deviation = vol * sqrt(years)
    d1 = log(forward / strike) / deviation + deviation / 2
    above = (1 + erf(d1 / sqrt(2))) / 2
    return above if call else above - 1


def changes_of(legs, forward, vol, scan_vol, parameters):
    """Profit of legs of (strike, call, units, years) in each scenario, weighted by its share."""
    reach = max(parameters.price_scan, parameters.scan_sigmas * scan_vol / sqrt(250))
    turn = max(parameters.vol_scan, parameters.vol_share * vol)
    found = []
    for thirds, way, share in TABLE:
        level = forward * max(1 + thirds / 3 * reach, 0.01)
        moved = max(0.01, vol + way * turn)
        change = 0.0
        for strike, call, units, years in legs:
            time = max(years, 1 / 365)
            before = textbook_price(forward, strike, time, vol, call)
            change += units * (textbook_price(level, strike, time, moved, call) - before)
        found.append(share * change)
    return found


def _value(legs, forward, vol):
    return sum(
        units * textbook_price(forward, strike, max(years, 1 / 365), vol, call)
        for strike, call, units, years in legs
    )


def _by_move(changes):
    """Worse of up and down volatility at each move; the two extreme ones as they are."""
    return [min(changes[i], changes[i + 1]) for i in range(0, 14, 2)] + changes[14:]


def reference(legs, forward, vol, parameters, scan_vol=None):
    """Margin by component, in rupees, as the module's docstring describes it."""
    scan_vol = max(vol, parameters.base_vol) if scan_vol is None else scan_vol
    expiries = sorted({years for *_, years in legs})
    groups = [[leg for leg in legs if leg[3] == years] for years in expiries]
    by_group = [changes_of(group, forward, vol, scan_vol, parameters) for group in groups]
    values = [_value(group, forward, vol) for group in groups]
    needs = [
        max(0.0, -min(0.0, *changes) - value)
        for changes, value in zip(by_group, values, strict=True)
    ]
    scan, calendar = sum(needs), 0.0
    if len(groups) > 1:
        free = parameters.calendar_last_day == 0
        shared = [at for at, years in enumerate(expiries) if years > 0 or not free]
        alone = sum(need for at, need in enumerate(needs) if at not in shared)
        moves = [sum(row) for row in zip(*(_by_move(by_group[at]) for at in shared), strict=True)]
        worst = -min(0.0, *moves) if moves else 0.0
        joint = max(0.0, worst - sum(values[at] for at in shared))
        nets = [
            forward * sum(
                units * _delta(forward, strike, max(years, 1 / 365), vol, call)
                for strike, call, units, years in groups[at]
            )
            for at in shared
        ]  # fmt: skip
        charge = parameters.calendar_charge * min(
            sum(max(0.0, net) for net in nets), sum(max(0.0, -net) for net in nets)
        )
        if alone + joint + charge < scan:
            scan, calendar = alone + joint, charge
    exposure = last = 0.0
    for strike, call, units, years in legs:
        if units >= 0:
            continue
        out = Fraction(strike) - Fraction(forward)
        limit = Fraction(str(parameters.far_moneyness)) * Fraction(forward)
        far = (out if call else -out) > limit or years > parameters.far_years
        rate = max(
            parameters.far_exposure if far else parameters.exposure,
            parameters.exposure_sigmas * scan_vol / sqrt(250),
        )
        exposure += -units * forward * rate
        last += -units * forward if years <= 0 else 0.0
    if all(units >= 0 for _, _, units, _ in legs):
        scan = calendar = 0.0
    extra = max(
        parameters.expiry_extra * last, parameters.expiry_least * last - scan - exposure, 0.0
    )
    return {"scan": scan, "exposure": exposure, "expiry_extra": extra, "calendar": calendar}
