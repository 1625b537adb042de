"""A person's requests: exit a part or all of a position, kill and resume.

Nothing here trades. A request is a row that the watcher acts on.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from strikeloom.domain.hedges import left_unhedged
from strikeloom.domain.positions import ExitRequest, Position
from strikeloom.domain.quantities import quantity
from strikeloom.errors import GuardError, WrongUsage
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import KillSwitch
from strikeloom.trading.page_load import refuse_page_load


def target_after(position: Position, percent: int) -> tuple[int, ...] | str:
    """Signed lots of each leg after an exit of ``percent`` of the quantity first filled.

    Returns
    -------
    tuple of int, or str
        The reason, when that is not whole lots of every leg, or more than what is left.
    """
    if not 1 <= percent <= 100:
        return "a share is between 1 and 100 percent"
    if not any(leg.order_lots for leg in position.legs):
        return _no_order(position)
    targets = []
    for leg in position.legs:
        first = leg.first_lots
        if not leg.order_lots:
            targets.append(0)  # exited before as far as it can be, or bought in by the exchange
            continue
        if abs(first) * percent % 100:
            return f"not whole lots of {abs(first)}"
        exited = abs(first) * percent // 100
        left = abs(leg.net_lots) - exited
        if percent == 100:
            left = 0
        if left < 0:
            return f"only {abs(leg.net_lots)} of {abs(first)} lots are left"
        targets.append(left if leg.net_lots >= 0 else -left)
    return tuple(targets)


def _no_order(position: Position) -> str:
    """Why no order closes what is left: lots became larger than it, or shares are lacking."""
    owed = [quantity(leg.instrument, leg.net_units) for leg in position.legs if leg.is_owed]
    if owed:
        return f"the exchange buys in the {', '.join(owed)} that were lacking for a delivery"
    parts = ", ".join(
        f"{abs(leg.net_units)} of a lot of {leg.instrument.lot_size} in {leg.instrument.label}"
        for leg in position.legs
        if leg.net_units
    )
    return f"no whole lot is left ({parts}); the exchange settles it at expiry"


def _other_shares(position: Position, percent: int) -> str:
    """Nearest shares that can be exited, as the end of a sentence."""
    possible = [
        share for share in range(1, 101) if not isinstance(target_after(position, share), str)
    ]
    nearest = {
        *[s for s in possible if s < percent][-1:],
        *[s for s in possible if s > percent][:1],
    }
    shares = sorted(nearest | {share for share in possible if share == 100})
    return f"; {', '.join(map(str, shares))} % can be exited" if shares else ""


def request_exit(
    desk: Desk,
    position_id: str,
    *,
    who: str,
    percent: int = 100,
    leg: int | None = None,
    revision: int | None = None,
    leave_unhedged: bool = False,
) -> tuple[ExitRequest, bool]:
    """Write an exit request.

    Parameters
    ----------
    percent : int
        Of the quantity first filled; leg ratios are kept.
    leg : int, optional
        Exit only this leg, completely.
    revision : int, optional
        Revision of the position that the person saw; default: the present one.
    leave_unhedged : bool
        Allow an exit after which fewer bought units hedge a sold option than before.

    Returns
    -------
    request, created
        The stored request, and ``False`` when the same request was stored before.

    Raises
    ------
    SettingsError
        When the load of a page other than the monitor's own runs it.
    GuardError
        When the share is not whole lots, nothing is open, the position has changed, or a sold
        option would lose its hedge.
    StoreError
        When there is no such position.
    """
    refuse_page_load("An exit")
    position = desk.store.position(position_id)
    if not position.is_open:
        raise GuardError(f"{position_id} is closed already", guard="open position")
    if revision is not None and revision != position.revision:
        raise GuardError(
            f"{position_id} has changed since (revision {position.revision}, yours {revision}); "
            "look again",
            guard="revision",
        )
    target: tuple[int, ...] | str
    if leg is not None:
        held = [item.leg for item in position.legs if item.order_lots]
        if leg not in held:
            legs = ", ".join(map(str, held)) or _no_order(position)
            raise GuardError(f"{position_id} has no open leg {leg}; open legs: {legs}", guard="leg")
        target = tuple(0 if item.leg == leg else item.order_lots for item in position.legs)
    else:
        target = target_after(position, percent)
    if isinstance(target, str):
        raise GuardError(
            f"{position_id}, {percent} %: {target}{_other_shares(position, percent)}",
            guard="whole lots",
        )
    naked = [] if leave_unhedged else left_unhedged(position, target)
    if naked:
        raise GuardError(
            f"{position_id}: this exit would leave {' and '.join(naked)} without its hedge; exit "
            "the sold leg first or the whole position, or give --leave-unhedged",
            guard="hedge",
        )
    request = ExitRequest(
        request_id="R" + secrets.token_hex(6).upper(),
        account=desk.account,
        market=desk.market,
        position_id=position_id,
        revision=position.revision,
        target_lots=target,
        percent=percent if leg is None else None,
        who=who,
        at=desk.clock.now(),
    )
    return desk.store.add_request(request)


def kill(desk: Desk, reason: str, *, flatten: bool, at: datetime) -> None:
    """Block entries until a person resumes; with ``flatten`` also exit every position.

    Raises
    ------
    WrongUsage
        When the reason is blank.
    """
    if not reason.strip():
        raise WrongUsage("kill needs a reason that is not blank: strikeloom kill --reason news")
    desk.store.set_kill_switch(
        KillSwitch(engaged=True, flatten=flatten, reason=reason.strip(), at=at)
    )


def resume(desk: Desk, reason: str, *, at: datetime) -> None:
    """Release the kill switch.

    Raises
    ------
    WrongUsage
        Without a reason.
    """
    if not reason.strip():
        raise WrongUsage("resume needs a reason: strikeloom resume --reason 'checked the book'")
    desk.store.set_kill_switch(
        KillSwitch(engaged=False, flatten=False, reason=reason.strip(), at=at)
    )
