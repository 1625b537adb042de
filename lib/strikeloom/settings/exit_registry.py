"""Find the exit rules: every file of ``settings/exit_rules/`` is one, under its own name.

Nothing is registered by hand. A file that is not a whole rule is refused when the settings are
read, so a rule can neither be forgotten nor act under another's name.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Literal, get_args, get_origin

from strikeloom.domain.positions import Urgency
from strikeloom.errors import SettingsError
from strikeloom.settings.exit_rule import ExitRule

_PACKAGE = "strikeloom.settings.exit_rules"


@cache
def exit_rules(package: str = _PACKAGE) -> Mapping[str, type[ExitRule]]:
    """Rules by their name in the settings.

    Raises
    ------
    SettingsError
        When a file of the folder cannot be imported, defines no rule or several, or one that
        has no name, another name than the file, no ``urgency`` or no arithmetic.
    """
    folder = importlib.import_module(package)
    files = sorted(module.name for module in pkgutil.iter_modules(folder.__path__))
    rules: dict[str, type[ExitRule]] = {}
    for file in files:
        rule = _rule_in(_imported(package, file), file)
        name = _name_of(rule, file)
        if name != file:
            owner = f", which is that of {name}.py" if name in files else ""
            raise _refused(file, f"its rule is named {name!r}{owner}")
        rules[name] = rule
    return MappingProxyType(rules)


def urgency_of(rule: str) -> Urgency | None:
    """Urgency with which a rule fires, by the rule's stored name; ``None`` for no such rule."""
    known = exit_rules().get(rule.replace(" ", "_"))
    return None if known is None else known.urgency


def _imported(package: str, file: str) -> ModuleType:
    try:
        return importlib.import_module(f"{package}.{file}")
    except Exception as error:
        raise SettingsError(
            f"exit rule {file}.py cannot be imported: {error!r}", file=file
        ) from error


def _rule_in(module: ModuleType, file: str) -> type[ExitRule]:
    """The one rule class that a file defines."""
    classes = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, ExitRule)
        and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        names = ", ".join(value.__name__ for value in classes) or "no rule"
        raise _refused(file, f"it defines {names}")
    (rule,) = classes
    undefined = sorted(rule.__abstractmethods__)
    if not hasattr(rule, "urgency"):
        undefined.append("urgency")
    if undefined:
        raise _refused(file, f"{rule.__name__} does not define {', '.join(undefined)}")
    return rule


def _name_of(rule: type[ExitRule], file: str) -> str:
    annotation = rule.model_fields["rule"].annotation
    names = get_args(annotation) if get_origin(annotation) is Literal else ()
    if len(names) != 1:
        raise _refused(file, f"{rule.__name__} has no name of its own")
    return str(names[0])


def _refused(file: str, reason: str) -> SettingsError:
    return SettingsError(
        f"exit rule {file}.py: {reason}; it needs one subclass of ExitRule with "
        f'rule: Literal["{file}"] = "{file}", an urgency, progress and sentence',
        file=file,
    )
