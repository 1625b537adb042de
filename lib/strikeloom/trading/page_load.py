"""Whether code runs because somebody opened a page: nothing may be traded by opening one."""

from __future__ import annotations

import os

from strikeloom.errors import SettingsError

#: Process id of the server of ``strikeloom monitor``, in the environment of its kernels.
PAGE_SERVER = "STRIKELOOM_PAGE_SERVER"
#: What Voila sets in every kernel before it runs the first cell, and in those it starts for a
#: request.
_KERNEL, _SOFTWARE = "VOILA_KERNEL_ID", "SERVER_SOFTWARE"


def on_page_load() -> bool:
    """Whether a Voila server runs this code, other than that of ``strikeloom monitor``.

    Such a server runs a notebook for whoever requests its page, without a token.
    """
    software = os.environ.get(_SOFTWARE, "")
    if _KERNEL not in os.environ and not software.startswith("voila/"):
        return False
    # a variable left in somebody's shell does not count: the server has to be our parent
    return os.environ.get(PAGE_SERVER) != str(os.getppid())


def refusal(what: str) -> str:
    """Why a page shows nothing else, in one sentence."""
    return (
        f"{what} is not available on this page, because any visitor's request would run it: "
        "start strikeloom monitor for the page with its token, or open the notebook in JupyterLab."
    )


def refuse_page_load(what: str) -> None:
    """Refuse to go on for a page load.

    Raises
    ------
    SettingsError
        On a page load, with the remedy.
    """
    if on_page_load():
        raise SettingsError(refusal(what))
