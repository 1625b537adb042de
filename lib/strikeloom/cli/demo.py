"""``demo``: a whole synthetic day from raw quotes to a monitored position."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Verify every step, an exit button included, then end.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(help="Of the page, 0 for a free one; default: config/monitor.yaml."),
    ] = None,
) -> None:
    """Generate the synthetic market, run notebooks 01 to 04, start the watcher, open the page.

    Needs no file of the exchange and uses its own home (.strikeloom-demo, or STRIKELOOM_HOME);
    Ctrl-C ends all of it. With --check everything is temporary: each step is verified, an exit
    button of the page is pressed, and the exit code is 0 or 1. Use it as the one-minute
    self-check of an installation.
    """
    from strikeloom.desk import MODE

    os.environ[MODE] = "replay"  # for its watcher, page and kernels too, whatever is configured
    if check:
        from strikeloom.cli.demo_check import check_demo

        if not check_demo():
            raise typer.Exit(1)
        return
    from strikeloom.cli.demo_day import show_demo

    show_demo(port)


COMMANDS = (demo,)
