"""``strategies``: the catalogue of structures; ``identify``: the name of a bag of legs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from strikeloom.cli.options import Json

if TYPE_CHECKING:
    from strikeloom.domain.templates import StrategyTemplate

app = typer.Typer(no_args_is_help=True, help="The catalogue of structures.")


@app.command("list")
def list_strategies(
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The page docs/strategies.md.")
    ] = False,
) -> None:
    """Show every structure with its legs, limits and a sketch of its payoff.

    For example:

    strikeloom strategies list

    strikeloom strategies list --json
    """
    from strikeloom.cli import console
    from strikeloom.domain.templates import Family
    from strikeloom.strategy_creation.catalogue import TEMPLATES
    from strikeloom.strategy_creation.describe import (
        fits_words,
        legs_words,
        limits_words,
        strategies_page,
    )
    from strikeloom.strategy_creation.sketch import shape_of

    if markdown:
        typer.echo(strategies_page(TEMPLATES.values()), nl=False)
        return
    if as_json:
        console.as_json([_record(template) for template in TEMPLATES.values()])
        return
    for family in Family:
        mine = [template for template in TEMPLATES.values() if template.family is family]
        console.print_line(f"{family.value} ({len(mine)})\n")
        for template in mine:
            shape = shape_of(template)
            words = (f"{template.title} ({template.name})", legs_words(template),
                     limits_words(shape), fits_words(template))  # fmt: skip
            for line, text in zip(shape.lines, words, strict=True):
                console.print_line(f"{line}  {text}")
            console.print_line("")


def _record(template: StrategyTemplate) -> dict[str, Any]:
    from strikeloom.domain.instruments import Right
    from strikeloom.strategy_creation.describe import leg_words
    from strikeloom.strategy_creation.sketch import shape_of

    shape = shape_of(template)
    return {
        "name": template.name,
        "title": template.title,
        "family": template.family,
        "legs": [leg_words(leg, number) for number, leg in enumerate(template.legs)],
        "outlooks": sorted(template.outlooks),
        "volatility": template.volatility,
        "stance": template.stance,
        "tier": template.tier,
        "exit_plan": template.exit_plan,
        "purpose": template.purpose,
        "complexity": template.complexity,
        "naked": template.is_naked,
        "net_sold": {right.name.lower() + "s": template.net_sold(right) for right in Right},
        "premium_percent": round(shape.premium, 4),
        "profit": "limited" if shape.profit_is_limited else "unlimited",
        "loss": "limited" if shape.loss_is_limited else "unlimited",
        "breakevens": shape.breakevens,
        "payoff": [
            {"level_percent": round(float(x), 2), "profit_percent": round(float(y), 4)}
            for x, y in zip(shape.spots, shape.profit, strict=True)
        ],
        "sketch": list(shape.lines),
    }


def identify(
    legs: Annotated[
        list[str],
        typer.Argument(help="SIDE [LOTS] STRIKE CE|PE [EXPIRY], SIDE [LOTS] FUT, SIDE [UNITS] "
                       "SHARE; each in quotes, or with colons for blanks."),
    ],
    lot: Annotated[int, typer.Option("--lot", help="Units of a lot, to count shares by.")] = 1,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Name the structure that a bag of legs is, whatever their order and number of lots.

    For example:

    strikeloom identify "buy 25500 CE" "sell 2 25000 CE" "buy 24500 CE"

    strikeloom identify sell:25000:CE:2026-02-24 buy:25000:CE:2026-03-30
    """
    from strikeloom.cli import console
    from strikeloom.errors import DataError
    from strikeloom.strategy_creation.describe import legs_words, limits_words
    from strikeloom.strategy_creation.identify import identify as named
    from strikeloom.strategy_creation.leg_text import parse_legs
    from strikeloom.strategy_creation.sketch import shape_of

    found = named(parse_legs(legs, lot))
    if as_json:
        console.as_json(
            [{"name": t.name, "title": t.title, "family": t.family} for t in found]
        )  # fmt: skip
        return
    if not found:
        raise DataError(
            f"no structure of the catalogue has the legs {', '.join(legs)}; strikeloom strategies "
            "list shows all, and shares beside options count by --lot, the units of a lot"
        )
    for template in found:
        console.print_line(f"{template.title} ({template.name}, {template.family})")
        console.print_line(f"    {legs_words(template)}")
        console.print_line(f"    {limits_words(shape_of(template))}")


COMMANDS = (identify,)
