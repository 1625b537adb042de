"""Which mode a desk is opened in."""

from __future__ import annotations

import difflib

from strikeloom.desk.dhan import EXCHANGE, wire
from strikeloom.desk.keys import environment
from strikeloom.errors import SettingsError, WrongUsage
from strikeloom.ports.desk import Mode
from strikeloom.settings.all import Settings

_AUTO = "auto"
#: Passes the mode of the caller's desk to the kernels of notebooks.
MODE = "STRIKELOOM_MODE"


def choose_mode(asked: str | Mode | None, settings: Settings, market: str) -> Mode:
    """Mode of a desk.

    Parameters
    ----------
    asked : str or Mode or None
        ``None`` and ``auto``: as ``STRIKELOOM_MODE`` sets it, then ``config/desk.yaml``;
        ``auto`` there is paper where a local exchange that plays the market is configured,
        simulate where a broker is and the market is its own, else replay.

    Raises
    ------
    SettingsError
        For an unknown mode, and for live where settings do not allow it; ``WrongUsage`` when
        the unknown mode was asked for.
    """
    named = (str(asked or ""), environment(MODE) or "", settings.desk.mode)
    wanted = next((name for name in named if name and name != _AUTO), _AUTO)
    if wanted == _AUTO:
        return _automatic(market)
    known = [mode.value for mode in Mode]
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"known modes: {', '.join(known)}"
        kind = WrongUsage if wanted == str(asked or "") else SettingsError
        raise kind(f"unknown mode {wanted!r}; {hint}", mode=wanted)
    if wanted == Mode.LIVE and not settings.desk.live.allowed:
        raise SettingsError(
            "mode live is refused: live.allowed is off in config/desk.yaml, and a day must be "
            "armed beside it; use mode paper, simulate or alert",
            mode=wanted,
        )
    return Mode(wanted)


def _automatic(market: str) -> Mode:
    found = wire()
    if found.credentials is None:
        return Mode.REPLAY
    if found.is_local:
        return Mode.PAPER if found.plays in ("", market) else Mode.REPLAY
    return Mode.SIMULATE if market == EXCHANGE else Mode.REPLAY
