"""``docs/monitor.png``: the page after the synthetic day's execution with a watcher beside."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from strikeloom import execution
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import open_desk, to_next_session
from strikeloom.monitor import request_exit, watch
from strikeloom.ports.desk import Desk
from support.chromium import FLAGS, chromium_path
from support.notebook_runs import fresh_home
from support.page_server import served

TARGET = Path(__file__).resolve().parents[2] / "docs" / "monitor.png"


def main() -> None:
    """Play the day, leave half of one position, and take the picture."""
    with tempfile.TemporaryDirectory() as folder, fresh_home(Path(folder)):
        desk = open_desk("synthetic", stage="execution", pace=0.5)
        to_next_session(desk)
        plan = execution.plan_entries(desk, execution.load_marked(desk))
        execution.place(desk, plan)
        wide = [p for p in desk.store.positions() if all(x.first_lots % 2 == 0 for x in p.legs)]
        request_exit(desk, wide[0].position_id, percent=50, who="page")
        request_exit(desk, desk.store.positions()[-1].position_id, percent=100, who="page")
        with watched(desk), served(desk.home, desk.market) as page, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
            tab = browser.new_page(viewport={"width": 1280, "height": 1000})
            tab.goto(page.url)
            tab.wait_for_selector(".sl-card [data-request=done]")
            tab.wait_for_selector("[data-closed]")
            tab.screenshot(path=TARGET)
            browser.close()
    sys.stdout.write(f"{TARGET.relative_to(TARGET.parents[1])}\n")


@contextmanager
def watched(desk: Desk) -> Iterator[None]:
    """Let a watcher run beside."""
    stop = Event()
    running = Thread(target=watch, args=(desk, SystemClock()), kwargs={"stop": stop.is_set})
    running.start()
    try:
        yield
    finally:
        stop.set()
        running.join()


if __name__ == "__main__":
    main()
