"""A real Chromium, and a page with one open position of four lots."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from strikeloom.domain.positions import Position
from strikeloom.ports.desk import Desk
from support.chromium import FLAGS, chromium_path
from support.page_server import Served, desk_with_position, served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of STRIKELOOM_CHROMIUM, of the system, or Playwright's own.

    A module each: while Playwright lives its event loop runs, and others could not run theirs.
    """
    found = chromium_path()
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except Error as error:
            # where changes are merged a missing browser is a failure, not a skip
            if found or os.environ.get("STRIKELOOM_BROWSER_REQUIRED"):
                raise
            pytest.skip(f"no Chromium: set STRIKELOOM_CHROMIUM or install chromium ({error})")
        yield chromium
        chromium.close()


@pytest.fixture
def held(home: Path, synthetic_history) -> tuple[Desk, Position]:
    """Desk with a position of four lots and no watcher."""
    return desk_with_position(home, Path(synthetic_history.folder))


@pytest.fixture
def page_server(home: Path, held: tuple[Desk, Position]) -> Iterator[Served]:
    """Page of the desk, served."""
    with served(home, held[0].market) as running:
        yield running


@pytest.fixture
def page(browser: Browser, page_server: Served) -> Iterator[Page]:
    """Tab with the page open and rendered."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.goto(page_server.url)
    tab.wait_for_selector(".sl-card")
    yield tab
    context.close()
