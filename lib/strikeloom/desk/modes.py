"""Which mode a desk is opened in. Replay is complete; the others need a broker."""

from __future__ import annotations

import difflib

from strikeloom.errors import SettingsError
from strikeloom.ports.desk import Mode
from strikeloom.settings.all import Settings

_AUTO = "auto"


def choose_mode(asked: str | Mode | None, settings: Settings) -> Mode:
    """Mode of a desk.

    Parameters
    ----------
    asked : str or Mode or None
        ``None`` and ``auto`` leave it to ``config/desk.yaml``; ``auto`` there is replay as
        long as no broker adapter is configured.

    Raises
    ------
    SettingsError
        For an unknown mode, and for one that needs a broker.
    """
    wanted = settings.desk.mode if asked in (None, "", _AUTO) else str(asked)
    if wanted == _AUTO:
        return Mode.REPLAY
    known = [mode.value for mode in Mode]
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"known modes: {', '.join(known)}"
        raise SettingsError(f"unknown mode {wanted!r}; {hint}", mode=wanted)
    if wanted != Mode.REPLAY:
        raise SettingsError(
            f"mode {wanted} needs a broker, and no broker adapter is configured; use mode replay",
            mode=wanted,
        )
    return Mode.REPLAY
