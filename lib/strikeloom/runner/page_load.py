"""A notebook that trades or exits does nothing when somebody merely opens its page."""

from __future__ import annotations

from html import escape

from strikeloom.trading.page_load import on_page_load, refusal


def stop_on_page_load(what: str) -> None:
    """Where a page load runs the notebook, show one sentence and let no further cell do anything.

    Does nothing in JupyterLab, papermill, nbconvert and on the page of ``strikeloom monitor``.

    Parameters
    ----------
    what : str
        What is not available, for the sentence: ``Execution``.
    """
    if not on_page_load():
        return
    from IPython import get_ipython
    from IPython.display import HTML, display

    display(HTML(f"<p>{escape(refusal(what))}</p>"))  # type: ignore[no-untyped-call]
    shell = get_ipython()
    if shell is not None:
        shell.input_transformers_cleanup.append(lambda _: [])
