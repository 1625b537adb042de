"""All settings of a desk, read from ``config/*.yaml`` and nothing else.

Every value is explained in the file where it is set. There are no defaults in code: a missing
key is an error that names the file and the key, an unknown one names the nearest known.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from strikeloom.domain.folders import config_folder
from strikeloom.errors import SettingsError
from strikeloom.settings.allocation import AllocationSettings
from strikeloom.settings.chains import ChainSettings
from strikeloom.settings.creation import CreationSettings
from strikeloom.settings.desk import DeskSettings
from strikeloom.settings.execution import ExecutionSettings
from strikeloom.settings.exits import ExitSettings
from strikeloom.settings.fetch import FetchSettings
from strikeloom.settings.iv import IvSettings
from strikeloom.settings.model import SettingsModel
from strikeloom.settings.monitor import MonitorSettings
from strikeloom.settings.schedule import ScheduleSettings
from strikeloom.settings.universe import UniverseSettings
from strikeloom.settings.yaml_file import YamlDocument, read_yaml


class Settings(SettingsModel):
    """One field per file of ``config/``, named as the file."""

    desk: DeskSettings
    universe: UniverseSettings
    fetch: FetchSettings
    chains: ChainSettings
    iv: IvSettings
    creation: CreationSettings
    allocation: AllocationSettings
    execution: ExecutionSettings
    exits: ExitSettings
    monitor: MonitorSettings
    schedule: ScheduleSettings


def load_settings(folder: Path | None = None) -> Settings:
    """Read every settings file.

    Raises
    ------
    SettingsError
        Names the file, the key, the value met and what is allowed.
    """
    folder = folder or config_folder()
    parts: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        parts[name] = _load(folder / f"{name}.yaml", cast("type[BaseModel]", field.annotation))
    try:
        return Settings(**parts)
    except ValidationError as error:
        raise SettingsError(f"{folder}: {error}") from error


def _load(path: Path, model: type[BaseModel]) -> BaseModel:
    if not path.exists():
        raise SettingsError(f"{path} is missing; restore it from the repository", path=str(path))
    found = read_yaml(path)
    if not isinstance(found.value, dict):
        raise SettingsError(f"{path} holds no settings; expected keys and values", path=str(path))
    try:
        return model.model_validate(found.value)
    except ValidationError as error:
        lines = [
            f"{_place(found, item)}: {_explain(item, model, found)}" for item in error.errors()
        ]
        raise SettingsError("; ".join(lines), path=str(path)) from None


def _place(found: YamlDocument, item: Any) -> str:
    """File and line; the file alone for a key that is missing from all of it."""
    whole = item["type"] == "missing" and len(item["loc"]) == 1
    return str(found.path) if whole else found.where(*item["loc"])


def _explain(item: Any, model: type[BaseModel], found: YamlDocument) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, item["loc"][:-1])
        near = difflib.get_close_matches(str(item["loc"][-1]), known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(sorted(known))}"
        return f"unknown key {where}; {hint}"
    if item["type"] == "missing":
        return f"key {where} is missing"
    if item["input"] is None and found.written(*item["loc"]) is not None:
        return f"{where} has no value; write one"
    text = item["msg"].removeprefix("Value error, ")
    hint = "; write it in quotes" if item["type"] == "string_type" else ""
    return f"{where} is {item['input']!r}: {text}{hint}"


def _keys_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Names allowed at a place of the model; follows nested models and mappings of models."""
    current: Any = model
    for part in loc:
        if _is_model(current):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else None
        else:
            current = next((a for a in getattr(current, "__args__", ()) if _is_model(a)), None)
    return list(current.model_fields) if _is_model(current) else []


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)
