"""``exit``: a person's request to reduce positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from strikeloom.cli.cycles import offer_cycle
from strikeloom.cli.options import Json, Market, Mode, desk_of

if TYPE_CHECKING:
    from strikeloom.domain.positions import ExitRequest, Position

Who = "terminal"


def exit_(
    position_id: Annotated[str, typer.Argument(help="Position id, as positions lists it.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Every open position.")] = False,
    percent: Annotated[
        int | None, typer.Option(help="Share of the quantity first filled.", min=1, max=100)
    ] = None,
    leg: Annotated[
        int | None,
        typer.Option(help="Exit only this leg, by its number in positions --detailed."),
    ] = None,
    leave_unhedged: Annotated[
        bool,
        typer.Option("--leave-unhedged", help="Allow an exit that leaves a sold option unhedged."),
    ] = False,
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:
    """Request an exit from the watcher, like the buttons of the page.

    Example: strikeloom exit SKQ7M2X4ABCD --percent 50
    """
    from strikeloom.cli import console
    from strikeloom.errors import GuardError
    from strikeloom.monitor import request_exit
    from strikeloom.trading.lease import held_elsewhere

    _check_choice(position_id, percent, leg, all_=all_)
    desk = desk_of(market, mode=mode)
    names = [p.position_id for p in desk.store.positions()] if all_ else [position_id]
    written: list[ExitRequest] = []
    created: list[bool] = []
    refused = 0
    for name in names:
        try:
            request, new = request_exit(
                desk, name, who=Who, percent=100 if percent is None else percent, leg=leg,
                leave_unhedged=leave_unhedged,
            )  # fmt: skip
        except GuardError as error:
            if not all_:
                raise
            refused += 1
            console.problem(str(error))
            continue
        written.append(request)
        created.append(new)
        if not as_json:
            outcome = "exit requested" if new else "the same exit was requested already"
            left = kept(desk.store.position(name), request)
            console.print_line(f"{name}: {outcome} ({request.request_id}); {left}")
    if as_json:
        rows = [
            {"request": r.request_id, "position": r.position_id, "new": new, "state": r.state}
            for r, new in zip(written, created, strict=True)
        ]
        console.as_json({"requests": rows, "refused": refused})
    elif not names:
        console.print_line("no position is open")
    if written and not held_elsewhere(desk.home, desk.store):
        offer_cycle(desk, quiet=as_json)
    if refused:
        raise typer.Exit(1)


def _check_choice(position_id: str, percent: int | None, leg: int | None, *, all_: bool) -> None:
    """Refuse options that contradict each other."""
    if all_ and position_id:
        raise typer.BadParameter("give a position or --all, not both")
    if not all_ and not position_id:
        raise typer.BadParameter("name a position, or give --all")
    if leg is not None and percent is not None:
        raise typer.BadParameter("give --percent or --leg, not both")
    if leg is not None and all_:
        raise typer.BadParameter(
            "--leg needs one position: the numbers of legs differ by strategy; leave out --all"
        )


def kept(position: Position, request: ExitRequest) -> str:
    """What a request leaves of a position, leg by leg."""
    from strikeloom.domain.quantities import quantity

    kept_units = [
        (leg, lots * leg.instrument.lot_size)
        for leg, lots in zip(position.legs, request.target_lots, strict=True)
        if lots and leg.order_lots
    ]
    parts = [
        f"{quantity(leg.instrument, units)} {'bought' if units > 0 else 'sold'}"
        for leg, units in kept_units
    ]
    parts += [
        f"{abs(leg.odd_units)} units of {leg.instrument.label}, which make no whole lot"
        for leg in position.legs
        if leg.odd_units
    ]
    parts += [
        f"{quantity(leg.instrument, leg.net_units)} lacking, which the exchange buys in"
        for leg in position.legs
        if leg.is_owed
    ]
    return f"to keep: {', '.join(parts)}" if parts else "nothing is kept"


exit_.__name__ = "exit"
COMMANDS = (exit_,)
