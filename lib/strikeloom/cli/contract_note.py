"""``contract-note``: an account's note of a day, to lay beside the broker's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from strikeloom.cli.options import Json, Market, Mode, desk_of, trading_day_of

if TYPE_CHECKING:
    from strikeloom.trading.day_note import DayNote

_CHARGES = {
    "brokerage": "brokerage", "stt": "STT", "exchange": "exchange", "sebi": "SEBI",
    "stamp": "stamp duty", "gst": "GST", "total": "total",
}  # fmt: skip


def contract_note(
    day: Annotated[
        str, typer.Option("--date", help="Day, YYYY-MM-DD; default: the account's today.",
                          show_default=False),
    ] = "",
    market: Market = "",
    mode: Mode = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show the account's contract note of a day, made from its stored fills.

    Charges are those of the broker's price list and of the exchange, rounded as on its note, which
    stays authoritative. What they differ by from the charges booked with the fills is stated by
    reason. Shares bought and sold on one day are taxed as intraday.

    For example:

    strikeloom contract-note --date 2026-06-11 --json
    """
    from strikeloom.trading.day_note import day_note

    wanted = trading_day_of(day) if day else None
    desk = desk_of(market, "", mode=mode)
    note = day_note(desk.store.fills(), wanted or desk.clock.now().date())
    if as_json:
        from strikeloom.cli import console

        console.as_json({"account": desk.account, **_plain(note)})
    else:
        _print(note, desk.account)


def _print(note: DayNote, account: str) -> None:
    from strikeloom.cli import console
    from strikeloom.domain.money import rupees_text

    if not note.segments:
        console.print_line(f"{account} has no trade of {note.day}")
    else:
        console.table(
            f"Contract note of {note.day}, account {account}",
            ("segment", "orders>", "bought>", "sold>"),
            [(it.segment.value, it.orders, rupees_text(it.bought), rupees_text(it.sold))
             for it in note.segments],
        )  # fmt: skip
        columns = {**note.markets, "all": note.charges}
        console.table(
            "Charges as on the note",
            ("charge", *(f"{name}>" for name in columns)),
            [(text, *(rupees_text(getattr(charges, name)) for charges in columns.values()))
             for name, text in _CHARGES.items()],
        )  # fmt: skip
        paid = "receivable" if note.net_payable < 0 else "payable"
        console.print_line(f"net {paid} {rupees_text(abs(note.net_payable))}, futures apart")
        gap = note.charges.total - note.booked
        sign = "as much as" if not gap else f"{rupees_text(gap, signed=True)} against"
        console.print_line(f"{sign} the {rupees_text(note.booked)} booked with the fills")
        for why, paise in note.differences:
            console.print_line(f"  {rupees_text(paise, signed=True)}  {why}")
    for kind, paise in note.besides:
        console.print_line(f"booked besides, on no note of orders: {kind} {rupees_text(paise)}")


def _plain(note: DayNote) -> dict[str, Any]:
    """The note as plain data, in paise."""
    return {
        "day": note.day,
        "segments": [
            {"segment": it.segment.value, "orders": it.orders, "bought": it.bought,
             "sold": it.sold}
            for it in note.segments
        ],
        "charges": {
            market: {name: getattr(charges, name) for name in _CHARGES}
            for market, charges in {**note.markets, "all": note.charges}.items()
        },
        "net_payable": note.net_payable,
        "booked": note.booked,
        "differences": [{"why": why, "paise": paise} for why, paise in note.differences],
        "besides": [{"kind": kind, "paise": paise} for kind, paise in note.besides],
    }  # fmt: skip


COMMANDS = (contract_note,)
