"""``config/exits.yaml``: exit plans, one list of rules a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from strikeloom.errors import SettingsError
from strikeloom.settings.exit_registry import exit_rules
from strikeloom.settings.exit_rule import ExitRule
from strikeloom.settings.model import SettingsModel


def _rules(lines: Any) -> Any:
    """Rules of a plan's lines; every mistake is reported with the number of its line."""
    if not isinstance(lines, list):
        return lines
    rules: list[ExitRule] = []
    mistakes: list[InitErrorDetails] = []
    for number, line in enumerate(lines, 1):
        try:
            rules.append(line if isinstance(line, ExitRule) else _rule(line))
        except ValidationError as error:
            mistakes += [_mistake(item, number, line) for item in error.errors()]
    if mistakes:
        raise ValidationError.from_exception_data("exit plan", mistakes)
    return rules


def _rule(line: Any) -> ExitRule:
    """Rule of one line, of the class that its ``rule`` names."""
    known = exit_rules()
    name = line.get("rule") if isinstance(line, Mapping) else line
    if isinstance(line, Mapping) and isinstance(name, str) and name in known:
        return known[name].model_validate(line)
    text = f"no exit rule has this name; known rules: {', '.join(known)}"
    raise ValidationError.from_exception_data("exit rule", [_details(text, ("rule",), name)])


def _mistake(item: ErrorDetails, number: int, line: Any) -> InitErrorDetails:
    """The mistake of a line, with the line's number in its place."""
    place = (f"line {number}", *item["loc"])
    if item["type"] == "missing":
        return InitErrorDetails(type="missing", loc=place, input=item["input"])
    text = item["msg"]
    if item["type"] == "extra_forbidden":
        text = f"unknown key; keys of {line['rule']}: " + ", ".join(
            exit_rules()[line["rule"]].model_fields
        )
    return _details(text, place, item["input"])


def _details(text: str, place: tuple[int | str, ...], value: Any) -> InitErrorDetails:
    kind = PydanticCustomError("exit_rule", "{text}", {"text": text})
    return InitErrorDetails(type=kind, loc=place, input=value)


class ExitSettings(SettingsModel):
    """Exit plans by name."""

    plans: dict[str, Annotated[list[SerializeAsAny[ExitRule]], BeforeValidator(_rules)]]


def plan_of(settings: ExitSettings, name: str) -> tuple[ExitRule, ...]:
    """Rules of a plan.

    Raises
    ------
    SettingsError
        When the plan is not in ``config/exits.yaml``.
    """
    if name not in settings.plans:
        raise SettingsError(
            f"exit plan {name!r} is not in config/exits.yaml; known: {', '.join(settings.plans)}"
        )
    return tuple(settings.plans[name])
