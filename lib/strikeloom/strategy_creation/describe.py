"""Templates in words, and the page of all of them."""

from __future__ import annotations

from collections.abc import Iterable

from strikeloom.domain.counted import counted
from strikeloom.domain.instruments import Right
from strikeloom.domain.selectors import (
    Delta,
    ExpirySelector,
    Moves,
    Reflection,
    Same,
    SameExpiry,
    Steps,
    StrikeSelector,
    Width,
)
from strikeloom.domain.templates import Family, LegTemplate, StrategyTemplate, StructurePurpose
from strikeloom.strategy_creation.sketch import Shape, shape_of

_PURPOSES = {
    StructurePurpose.EARN: "",
    StructurePurpose.PROTECT: "Held to protect what is owned.",
    StructurePurpose.FINANCE: "Held for the price of the underlying or of money, not to earn.",
}
_HEAD = """# Strategies

Every structure that strategy creation tries, by family; `strikeloom strategies list` shows the
same in a terminal, and `strikeloom identify` names a bag of legs. This page is generated: after a
change of the catalogue run `strikeloom strategies list --markdown > docs/strategies.md`.

An expected move is a standard deviation of the price until the leg's own expiry. Sketches, limits
and breakevens are of a stock at 100 with a volatility of 32 %, 28 days before its front expiry
and 63 before the next; a structure of two expiries is shown at the nearer one. The dotted line is
no profit and no loss, the width 2.5 expected moves to each side.
"""


def strike_words(selector: StrikeSelector) -> str:
    """A strike selector in words."""
    match selector:
        case Moves(moves=moves):
            words = f"{_moves(moves)} the forward" if moves else "at the money"
        case Delta(delta=delta):
            words = f"of delta {delta:g}"
        case Steps(steps=steps):
            side = "above" if steps > 0 else "below"
            words = f"{abs(steps)} listed strikes {side} the money" if steps else "at the money"
        case Width(leg=leg, moves=moves):
            words = f"{_moves(moves)} leg {leg + 1}{_unlike(selector)}"
        case Same(leg=leg):
            words = f"at the strike of leg {leg + 1}"
        case Reflection(leg=leg, about=None):
            words = f"at the strike of leg {leg + 1} mirrored about the forward"
        case Reflection(leg=leg, about=centre):
            words = f"as far from leg {int(centre or 0) + 1} as leg {leg + 1}"
    return words


def leg_words(leg: LegTemplate, number: int) -> str:
    """A leg in words; ``number`` is its place from 0."""
    side = "buy" if leg.side > 0 else "sell"
    ends = _expiry_words(leg.expiry, number)
    if leg.right is None or leg.strike is None:
        return f"{side} the underlying (share, or the index's future{ends})"
    name = "call" if leg.right is Right.CALL else "put"
    count = f"{leg.ratio} {name}s" if leg.ratio > 1 else f"a {name}"
    return f"{side} {count} {strike_words(leg.strike)}{ends}"


def legs_words(template: StrategyTemplate) -> str:
    """All legs in words."""
    return "; ".join(leg_words(leg, number) for number, leg in enumerate(template.legs))


def limits_words(shape: Shape) -> str:
    """Premium, limits and breakevens in words."""
    premium = "a credit" if shape.premium > 0 else "a debit" if shape.premium < 0 else "no premium"
    profit, loss = (
        "limited" if limited else "unlimited"
        for limited in (shape.profit_is_limited, shape.loss_is_limited)
    )
    count = {0: "no breakeven", 1: "1 breakeven"}
    roots = count.get(shape.breakevens, f"{shape.breakevens} breakevens")
    return f"{premium}, profit {profit}, loss {loss}, {roots}"


def fits_words(template: StrategyTemplate) -> str:
    """Views, use of volatility, stance, tier and exit plan in words."""
    views = ", ".join(sorted(outlook.value for outlook in template.outlooks))
    use = {
        "sell": "sells volatility",
        "buy": "buys volatility",
        "either": "indifferent to volatility",
    }
    return (
        f"view {views}; {use[template.volatility.value]}; stance {template.stance.value.lower()}; "
        f"tier {template.tier}; exit plan {template.exit_plan}"
    )


def strategies_page(templates: Iterable[StrategyTemplate]) -> str:
    """Markdown of all templates by family."""
    known = list(templates)
    lines = [_HEAD]
    for family in Family:
        mine = [template for template in known if template.family is family]
        lines.append(f"## {family.value.capitalize()} ({len(mine)})\n")
        for template in mine:
            shape = shape_of(template)
            lines += [f"### {template.title}\n", "```"]
            lines += [line.rstrip("\u2800") for line in shape.lines]
            lines += ["```\n", f"`{template.name}`: {legs_words(template)}.\n"]
            lines.append(_sentence(f"{limits_words(shape)}; {fits_words(template)}") + "\n")
            notes = [_PURPOSES[template.purpose]]
            notes.append(_net_sold(template))
            if template.cash_secured:
                notes.append("The price of the delivery is set aside.")
            if any(notes):
                lines.append(" ".join(note for note in notes if note) + "\n")
    return "\n".join(lines).rstrip() + "\n"


def _net_sold(template: StrategyTemplate) -> str:
    """What of it is sold without cover."""
    sold = [
        counted(template.net_sold(right), f"net sold {right.name.lower()}")
        for right in Right
        if template.net_sold(right)
    ]
    return f"Has {' and '.join(sold)}: off unless the risk profile allows it." if sold else ""


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _unlike(selector: Width) -> str:
    if selector.unlike is None:
        return ""
    sign, (one, two) = selector.unlike
    return f", {'farther' if sign > 0 else 'less far'} than leg {one + 1} is from leg {two + 1}"


def _moves(moves: float) -> str:
    return f"{abs(moves):g} expected moves {'above' if moves > 0 else 'below'}"


def _expiry_words(selector: ExpirySelector, number: int) -> str:
    if not isinstance(selector, SameExpiry):
        return f", {selector.value} expiry"
    return "" if selector.leg in (0, number) else f", in the expiry of leg {selector.leg + 1}"
