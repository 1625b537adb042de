"""``arm`` and ``disarm``: allow or block live orders for today."""

from __future__ import annotations

from typing import Annotated

import typer

from strikeloom.cli.options import Json, Market


def arm(
    account: Annotated[
        str, typer.Option(help="Last four digits of the client id. Needed.", show_default=False)
    ] = "",
    day: Annotated[
        str, typer.Option(help="Today, YYYY-MM-DD. Needed.", show_default=False)
    ] = "",
    market: Market = "nse",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Allow live orders for the rest of today if every check passes; off by default.

    Needs live.allowed in config/desk.yaml. Checks the instrument list, the shared limits, the
    clock, and that orders, fills and positions agree with the broker's; names what fails.

    Example: strikeloom arm --account 0042 --day 2026-02-11
    """
    from strikeloom.cli import console
    from strikeloom.desk.ready import arm as arm_day

    if not account or not day:
        raise typer.BadParameter("give both --account and --day")
    armed = arm_day(market, account, day)
    console.warn(f"{armed} is armed: desks in mode live send real orders until the end of {day}")
    if as_json:
        console.as_json({"account": armed, "armed_for": day})
        return
    console.print_line(
        "strikeloom disarm blocks live orders again; strikeloom kill blocks only entries"
    )


def disarm() -> None:
    """Block live orders. Open orders and positions at the broker stay; manage them yourself."""
    from strikeloom.cli import console
    from strikeloom.desk.ready import disarm as disarm_day

    was = disarm_day()
    console.print_line(f"disarmed: {', '.join(was)}" if was else "no account was armed")


COMMANDS = (arm, disarm)
