"""The page in a real Chromium: what a person sees and what a click does."""

from __future__ import annotations

import re
import subprocess
import time

import pytest
from playwright.sync_api import Page, expect

from strikeloom.domain.positions import RequestState
from strikeloom.monitor import kill, resume
from support.page_server import Served, one_cycle

pytestmark = pytest.mark.browser

SOON = 8_000  # milliseconds


def button(tab: Page, share: int):
    return tab.get_by_role("button", name=re.compile(rf"^{share} %$"))


def press(tab: Page, share: int) -> None:
    """Click, wait out the double-click guard, confirm."""
    button(tab, share).click()
    confirm = tab.get_by_role("button", name=f"Confirm {share} %")
    expect(confirm).to_be_visible()
    tab.wait_for_timeout(600)
    confirm.click()


def test_click_confirm_and_the_position_is_closed(page: Page, held):
    desk, position = held
    expect(page.locator("[data-position]")).to_contain_text(position.symbol)
    press(page, 100)
    expect(page.locator(".sl-card [data-request=pending]")).to_be_visible(timeout=SOON)
    (request,) = desk.store.requests()
    assert (request.percent, request.target_lots) == (100, (0, 0))
    assert request.revision == position.revision
    entry_fills = len(desk.store.fills())

    one_cycle(desk)

    after = desk.store.position(position.position_id)
    assert not after.is_open
    bought_back = desk.store.fills()[entry_fills:]
    assert {fill.instrument_key for fill in bought_back} == {
        leg.instrument.key for leg in position.legs
    }
    assert not desk.broker.positions()
    row = page.locator(f"[data-closed='{position.position_id}']")
    expect(row).to_be_visible(timeout=SOON)
    expect(row.locator("[data-request=done]")).to_be_visible()
    expect(page.locator(".sl-card")).to_have_count(0)


def test_half_is_left_and_the_row_shows_it(page: Page, held):
    desk, position = held
    press(page, 50)
    expect(page.locator("[data-request=pending]")).to_be_visible(timeout=SOON)
    one_cycle(desk)
    lots = [leg.net_lots for leg in desk.store.position(position.position_id).legs]
    assert lots == [-2, 2]
    expect(page.locator("[data-request=done]")).to_be_visible(timeout=SOON)
    expect(button(page, 25)).to_be_enabled()
    expect(button(page, 75)).to_be_disabled()  # three of four lots, of which two are left


def test_the_same_button_in_two_tabs_exits_once(browser, page: Page, page_server: Served, held):
    desk, position = held
    other = browser.new_context().new_page()
    other.goto(page_server.url)
    other.wait_for_selector(".sl-card")
    for tab in (page, other):
        button(tab, 50).click()
    page.wait_for_timeout(600)
    for tab in (page, other):
        tab.get_by_role("button", name="Confirm 50 %").click()
    page.wait_for_timeout(1500)
    assert len(desk.store.requests()) == 1
    one_cycle(desk)
    one_cycle(desk)
    lots = [leg.net_lots for leg in desk.store.position(position.position_id).legs]
    assert lots == [-2, 2]
    other.context.close()


def test_a_tab_that_armed_before_the_exit_cannot_exit_again(
    browser, page: Page, page_server: Served, held
):
    desk, position = held
    button(page, 50).click()  # armed against the first picture
    other = browser.new_context().new_page()
    other.goto(page_server.url)
    other.wait_for_selector(".sl-card")
    press(other, 50)
    expect(other.locator("[data-request]")).to_be_visible(timeout=SOON)
    one_cycle(desk)
    # pressed the moment it is found, whether or not the page has taken it back by then
    page.evaluate(
        "[...document.querySelectorAll('button')]"
        ".filter(it => it.textContent === 'Confirm 50 %').forEach(it => it.click())"
    )
    page.wait_for_timeout(1500)
    one_cycle(desk)
    lots = [leg.net_lots for leg in desk.store.position(position.position_id).legs]
    assert lots == [-2, 2]
    other.context.close()


def test_one_click_or_a_double_click_does_nothing(page: Page, held):
    desk, _ = held
    button(page, 100).dblclick()
    expect(page.get_by_role("button", name="Confirm 100 %")).to_be_visible()
    page.wait_for_timeout(7_500)
    expect(page.get_by_role("button", name="Confirm 100 %")).to_have_count(0)
    expect(button(page, 100)).to_be_enabled()
    assert not desk.store.requests()


def test_a_missing_watcher_is_shown(page: Page, held):
    desk, _ = held
    pill = page.locator("[data-watcher]")
    expect(pill).to_have_attribute("data-watcher", "silent")
    expect(pill).to_contain_text("never run")
    press(page, 100)
    expect(page.locator("[data-request=pending]")).to_contain_text("watcher", timeout=SOON)
    one_cycle(desk)
    expect(pill).to_contain_text("stopped", timeout=SOON)
    assert desk.store.requests()[0].state is RequestState.DONE


def test_prices_are_shown_once_somebody_watched(page: Page, held):
    desk, _ = held
    expect(page.locator("[data-position]")).to_contain_text("No price")
    one_cycle(desk)
    card = page.locator("[data-position]")
    expect(card).not_to_contain_text("No price", timeout=SOON)
    expect(card).to_contain_text("Prices: mid")
    expect(page.locator(".sl.rule .bar")).to_be_visible()


def test_nothing_comes_from_another_host_and_nothing_sticks_out(browser, page_server: Served):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    tab = context.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page_server.url)
    tab.wait_for_selector(".sl-card")
    tab.wait_for_timeout(1000)
    outside = [url for url in asked if not url.startswith((page_server.bare, "data:", "blob:",
               page_server.bare.replace("http", "ws")))]  # fmt: skip
    assert outside == []
    assert "token=" not in tab.url
    wide = tab.evaluate(
        "[...document.querySelectorAll('.sl-page *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert wide == 0
    context.close()


def test_neither_source_nor_kernel_talk_is_in_the_page(page: Page):
    html = page.content()
    assert "open_desk" not in html
    assert "show_monitor" not in html


def test_a_page_that_lost_its_desk_shows_it_and_takes_no_clicks(page: Page, page_server: Served):
    lost = page.locator("#sl-lost")
    page.wait_for_timeout(3_000)
    expect(lost).to_be_hidden()
    page_server.process.terminate()
    expect(lost).to_be_visible(timeout=25_000)
    expect(lost).to_contain_text("old")
    assert page.locator(".sl-page").evaluate("e => getComputedStyle(e).pointerEvents") == "none"


def test_an_error_of_the_store_is_shown_until_it_is_over(page: Page, held):
    desk, _ = held
    path = desk.home / "store.db"
    with desk.store.db.transaction() as db:
        db.execute("ALTER TABLE alerts RENAME TO hidden")
    expect(page.locator("[data-failure]")).to_be_visible(timeout=SOON)
    expect(page.locator("[data-failure]")).to_contain_text(path.name)
    with desk.store.db.transaction() as db:
        db.execute("ALTER TABLE hidden RENAME TO alerts")
    expect(page.locator("[data-failure]")).to_have_count(0, timeout=SOON)
    expect(page.locator("[data-watcher]")).to_be_visible()


def test_the_kill_switch_is_shown_with_its_reason_escaped(page: Page, held):
    desk, _ = held
    kill(desk, "<b>odd</b> & news", flatten=False, at=desk.clock.now())
    banner = page.locator("[data-kill]")
    expect(banner).to_contain_text("<b>odd</b> & news", timeout=SOON)
    expect(banner).to_contain_text("strikeloom resume")
    expect(page.locator(".who")).to_contain_text("entries blocked")
    resume(desk, "checked", at=desk.clock.now())
    expect(banner).to_have_count(0, timeout=SOON)
    expect(page.locator(".who")).to_contain_text("entries allowed")


def test_a_page_that_was_left_leaves_no_kernel_behind(browser, page: Page, page_server: Served):
    def kernels() -> int:
        pid = page_server.process.pid
        listed = subprocess.run(
            ["ps", "--ppid", str(pid), "-o", "args="], capture_output=True, text=True, check=False
        )
        return sum("ipykernel" in line for line in listed.stdout.splitlines())

    assert kernels() == 1
    page.goto("about:blank")
    deadline = time.monotonic() + 20
    while kernels() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert kernels() == 0
