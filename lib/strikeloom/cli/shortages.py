"""``shortages``: shares that were lacking for a delivery, and booking what was paid for them."""

from __future__ import annotations

from typing import Annotated

import typer

from strikeloom.cli.options import Json, Market, Mode, day_of, desk_of

app = typer.Typer(invoke_without_command=True)


@app.callback()
def shortages(
    context: typer.Context, market: Market = "", mode: Mode = "", as_json: Json = False
) -> None:
    """List shares that were lacking for a delivery and are owed until the exchange has bought them.

    A simulated broker reports that purchase. Dhan does not: book it with [bold]shortages
    book[/bold] when the contract note has its price.

    Example: strikeloom shortages
    """
    if context.invoked_subcommand:
        if market or mode or as_json:
            raise typer.BadParameter(f"give options after {context.invoked_subcommand}")
        return
    from strikeloom.cli import console
    from strikeloom.trading.shortages import owed_sentences, owed_shares

    desk = desk_of(market, mode=mode)
    found = owed_shares(desk.store.positions())
    if as_json:
        console.as_json(
            [
                {"position": it.position_id, "leg": it.leg, "contract": it.share.key,
                 "units": it.units, "price": it.price, "since": it.since}
                for it in found
            ]
        )  # fmt: skip
        return
    if not found:
        console.print_line(f"{desk.account} owes no shares")
    for text in owed_sentences(desk, desk.store.positions()):
        console.print_line(text)


@app.command()
def book(
    position_id: Annotated[str, typer.Argument(help="Position id, as shortages lists it.")],
    leg: Annotated[int, typer.Option(help="Leg that owes the shares.", show_default=False)],
    units: Annotated[
        int, typer.Option(help="Shares that were bought in.", min=1, show_default=False)
    ],
    price: Annotated[
        float,
        typer.Option(
            help="Rupees a share: of the auction, or of the close-out.", min=0.01,
            show_default=False,
        ),
    ],
    day: Annotated[
        str, typer.Option("--date", help="Day of the auction, YYYY-MM-DD.", show_default=False)
    ],
    charges: Annotated[
        float, typer.Option(help="Rupees of charges and penalty for all of them.", min=0)
    ] = 0,
    reference: Annotated[
        str,
        typer.Option(
            help="Number of the contract note: equal purchases differ by it.", show_default=False
        ),
    ] = "",
    accept_price: Annotated[
        bool,
        typer.Option("--accept-price", help="Book a price off the plausible range; on record."),
    ] = False,
    market: Market = "",
    mode: Mode = "",
) -> None:  # fmt: skip
    """Book the price at which the exchange bought in shares that were owed, as the note has it.

    Part of them may be booked, and the rest later. The same booking twice is one. It cannot be
    taken back.

    For example:

    strikeloom shortages book SKQ7M2X4ABCD --leg 2 --units 250 --price 1432.50 --date 2026-02-25
    """
    from strikeloom.cli import console
    from strikeloom.domain.money import paise, rupees_text
    from strikeloom.trading.shortages import Purchase, book_purchase, owed_shares

    desk = desk_of(market, mode=mode)
    stated = Purchase(
        position_id, leg, units, paise(price, what="--price"), day_of(day),
        paise(charges, what="--charges"), reference,
    )  # fmt: skip
    who = "a person at the terminal"
    new = book_purchase(desk, stated, who=who, accept_price=accept_price)
    console.print_line(
        f"{position_id}, leg {leg}: {units} shares at {rupees_text(stated.price)} each on {day} "
        + ("are booked" if new else "were booked before; nothing was changed")
    )
    for it in owed_shares([desk.store.position(position_id)]):
        console.print_line(it.sentence(reported=False))
