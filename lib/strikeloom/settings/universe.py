"""``config/universe.yaml``: named lists of symbols."""

from __future__ import annotations

from strikeloom.settings.model import SettingsModel


class UniverseSettings(SettingsModel):
    """Named symbol lists; an empty list means every listed underlying."""

    default: str
    lists: dict[str, list[str]]
