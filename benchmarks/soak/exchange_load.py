"""Orders for ten minutes at ten a second, with faults on: everything adds up to the paisa.

The exchange serves its synthetic day in a process of its own, limits lifted. A client that is
often not answered places, changes and cancels; then books, trades, positions, funds and the
account's own audit are compared. ``run_load`` is what the suite runs at a fiftieth.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import requests
import yaml
from dhanhq import DhanContext, dhanhq

SECONDS, PER_SECOND, THREADS, SEED = 600, 10, 6, 7
CLIENT, TOKEN = "1000000001", "local"
MARKET_SECONDS = 6 * 3600  # of the day's six and a quarter hours, the load's share
CASH = 50_00_00_000  # fifty crore rupees: margin is not what is tested

FAULTS = {
    "seed": SEED,
    "faults": [
        {"kind": "latency", "on": "place", "rate": 0.03, "seconds": 0.3},
        {"kind": "reply-lost", "on": "place", "rate": 0.01, "seconds": 2},
        {"kind": "request-lost", "on": "place", "rate": 0.005, "seconds": 2},
        {"kind": "reset-after", "on": "place", "rate": 0.01},
        {"kind": "reset-before", "on": "place", "rate": 0.005},
        {"kind": "empty", "on": "place", "rate": 0.01},
        {"kind": "bad-gateway", "on": "place", "rate": 0.01},
        {"kind": "server-error", "on": "place", "rate": 0.01},
        {"kind": "too-many-html", "on": "place", "rate": 0.01},
        {"kind": "late-order", "on": "place", "rate": 0.02, "seconds": 2},
        {"kind": "reply-lost", "on": "cancel", "rate": 0.02, "seconds": 1},
        {"kind": "html-after", "on": "modify", "rate": 0.02},
        {"kind": "server-error", "on": "book", "rate": 0.02},
        {"kind": "update-dropped", "on": "orders-ws", "rate": 0.02},
        {"kind": "update-twice", "on": "orders-ws", "rate": 0.02},
        {"kind": "update-swapped", "on": "orders-ws", "rate": 0.02},
    ],
}


@dataclass
class Sent:
    """What the client believes: how each order's placing was answered."""

    answered: dict[str, str] = field(default_factory=dict)  # tag: order id
    unresolved: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    index: tuple[str, float] = ("", 0.0)  # id of the underlying and its level at first
    waits: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def clients_of(rest: str, timeout: float = 1.0) -> dhanhq:
    """The official client of this thread; ``timeout`` in seconds, short where replies are lost."""
    context = DhanContext(CLIENT, TOKEN)
    context.get_dhan_http().base_url = rest
    context.get_dhan_http().timeout = timeout
    return dhanhq(context)


def securities(client: dhanhq, underlying: int) -> list[dict[str, object]]:
    """Options near the money with a two-sided quote: id, lot, bid, ask."""
    days = client.expiry_list(underlying, "IDX_I")["data"]["data"]
    found = []
    for day in days[:2]:
        chain = client.option_chain(underlying, "IDX_I", day)["data"]["data"]
        near = sorted(chain["oc"], key=lambda k: abs(float(k) - chain["last_price"]))[:10]
        found += [side for strike in near for side in chain["oc"][strike].values()]
    return [side for side in found if side["top_bid_price"] and side["top_ask_price"]]


def one_order(
    client: dhanhq, rng: random.Random, tag: str, where: list, lot: int, sent: Sent
) -> None:
    """Place an order, a super order or one that waits; then now and then change or cancel it."""
    side, it = rng.choice(("BUY", "SELL")), rng.choice(where)
    best = it["top_ask_price"] if side == "BUY" else it["top_bid_price"]
    away = rng.choice((0, 0, 0, 2, 4, -20)) * (1 if side == "BUY" else -1)
    price = on_tick(best + away)
    kind = rng.choices(("plain", "super", "forever", "alert"), (7, 2, 1, 1))[0]
    with sent.lock:
        sent.calls["place"] += 1
    if kind == "plain":
        one_plain(client, rng, (tag, str(it["security_id"]), side, price), lot, sent)
    elif kind == "super":
        one_super(client, rng, (tag, str(it["security_id"]), side, price), lot, sent)
    else:
        one_wait(client, rng, (tag, str(it["security_id"]), side, price), lot, sent)


def on_tick(price: float) -> float:
    """Nearest price on the tick, at least one."""
    return max(0.05, round(round(price / 0.05) * 0.05, 2))


def accepted_number(reply: dict, tag: str, sent: Sent) -> str | None:
    """Note how a placing was answered; the order's id if it was."""
    with sent.lock:
        if reply["status"] == "success" and isinstance(reply["data"], dict):
            sent.answered[tag] = reply["data"]["orderId"]
        elif isinstance(reply["remarks"], dict) and reply["remarks"]["error_code"]:
            sent.refused.append(tag)
        else:
            sent.unresolved.append(tag)
        return sent.answered.get(tag)


def one_plain(
    client: dhanhq, rng: random.Random, what: tuple[str, str, str, float], lot: int, sent: Sent
) -> None:
    """Place an order by itself."""
    tag, security, side, price = what
    kind = rng.choices(("LIMIT", "MARKET"), (9, 1))[0]
    reply = client.place_order(
        security, "NSE_FNO", side, lot * rng.randint(1, 4), kind, "MARGIN",
        price if kind == "LIMIT" else 0.0, tag=tag,
        validity=rng.choices(("DAY", "IOC"), (9, 1))[0],
    )  # fmt: skip
    number = accepted_number(reply, tag, sent)
    if number is None:
        return
    if rng.random() < 0.2:
        nearer = round(price + (0.5 if side == "BUY" else -0.5), 2)
        client.modify_order(number, "LIMIT", "NA", lot, max(0.05, nearer), 0, 0, "DAY")
        sent.calls["modify"] += 1
    if rng.random() < 0.2:
        client.cancel_order(number)
        sent.calls["cancel"] += 1


def one_super(
    client: dhanhq, rng: random.Random, what: tuple[str, str, str, float], lot: int, sent: Sent
) -> None:
    """Place an entry with exits near it, so that they are reached."""
    tag, security, side, price = what
    sign = 1 if side == "BUY" else -1
    far = on_tick(price * rng.choice((0.01, 0.03, 0.2)))
    target, stop = on_tick(price + sign * far), on_tick(price - sign * far)
    if len({price, target, stop}) < 3:
        return
    reply = client.place_super_order(
        security, "NSE_FNO", side, lot * rng.randint(1, 4), "LIMIT", "MARGIN", price,
        target, stop, rng.choice((0.0, 0.05, 1.0)), tag=tag,
    )  # fmt: skip
    sent.calls["super"] += 1
    number = accepted_number(reply, tag, sent)
    if number is None:
        return
    if rng.random() < 0.2:
        further = on_tick(target + sign * 0.5)
        client.modify_super_order(number, "LIMIT", "TARGET_LEG", targetPrice=further)
        sent.calls["modify"] += 1
    if rng.random() < 0.1:
        client.cancel_super_order(number, rng.choice(("ENTRY_LEG", "STOP_LOSS_LEG")))
        sent.calls["cancel"] += 1


def one_wait(
    client: dhanhq, rng: random.Random, what: tuple[str, str, str, float], lot: int, sent: Sent
) -> None:
    """Place an order that waits for a price near by, or an alert that is met soon."""
    tag, security, side, price = what
    sent.calls["wait"] += 1
    if rng.random() < 0.5:
        trigger, other = on_tick(price * 1.02), on_tick(price * 0.98)
        client.place_forever(
            security, "NSE_FNO", side, "MARGIN", "LIMIT", lot, price, trigger, "OCO",
            price1=price, trigger_Price1=other, quantity1=lot, tag=tag,
        )  # fmt: skip
        return
    index, level = sent.index
    client.place_conditional_order(
        {
            "comparisonType": "PRICE_WITH_VALUE", "exchangeSegment": "IDX_I",
            "securityId": index, "frequency": "ONCE",
            "operator": rng.choice(("GREATER_THAN", "LESS_THAN")), "comparingValue": level,
        },
        [{
            "transactionType": side, "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
            "orderType": "LIMIT", "securityId": security, "quantity": lot, "validity": "DAY",
            "price": f"{price:.2f}", "discQuantity": "0", "triggerPrice": "0",
            "correlationId": tag,
        }],
    )  # fmt: skip


def run_load(
    rest: str, underlying: int, lot: int, orders: int, *, threads: int, seed: int,
    slot: Callable[[int], None],
) -> Sent:  # fmt: skip
    """Send orders; ``slot`` waits for the turn of the n-th."""
    sent, turns = Sent(), iter(range(orders))
    where = securities(clients_of(rest), underlying)
    level = clients_of(rest).ticker_data({"IDX_I": [underlying]})["data"]["data"]["IDX_I"]
    sent.index = str(underlying), float(level[str(underlying)]["last_price"])
    assert where, "no option near the money has a quote"

    def work(number: int) -> None:
        client, rng = clients_of(rest), random.Random(seed * 1000 + number)
        while True:
            with sent.lock:
                turn = next(turns, None)
            if turn is None:
                return
            slot(turn)
            one_order(client, rng, f"load-{turn}", where, lot, sent)

    # the client logs each failure that we cause
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.CRITICAL)
    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    logging.getLogger().setLevel(before)
    return sent


def _asked(session: requests.Session, rest: str, path: str) -> list | dict:
    """Answer of a look; faults of looks are asked through."""
    head = {"access-token": TOKEN, "client-id": CLIENT}
    for _ in range(20):
        reply = session.get(rest + path, headers=head, timeout=30)
        if reply.status_code == 200:
            return reply.json()
    raise AssertionError(f"{path} is not answered")


def paise(rupees: float) -> int:
    """Exact paise of a figure of the wire."""
    found = Decimal(str(rupees)) * 100
    assert found == found.to_integral_value(), rupees
    return int(found)


def check(rest: str, sent: Sent, day: str) -> dict[str, int]:
    """Compare all reports of the exchange with one another, once nothing moves.

    Raises
    ------
    AssertionError
        Naming what does not add up.
    """
    session = requests.Session()
    book = _asked(session, rest, "/orders")
    trades = _asked(session, rest, "/trades/")
    positions = _asked(session, rest, "/positions")
    funds = _asked(session, rest, "/fundlimit")
    supers = _asked(session, rest, "/super/orders")
    ledger = _asked(session, rest, f"/ledger?from-date={day}&to-date={day}")
    charges = _charges(session, rest, day)
    # exits of super orders carry no tag
    tags = Counter(row["correlationId"] for row in book if row["correlationId"] != "NA")
    assert max(tags.values()) == 1, "an order is doubled"
    by_id = {row["orderId"]: row for row in book}
    for tag, number in sent.answered.items():
        assert by_id[number]["correlationId"] == tag, (tag, number)
    assert not set(sent.refused) & set(tags), "a refused order is in the book"
    filled, worth = Counter(), Counter()
    net: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in trades:
        value = row["tradedQuantity"] * paise(row["tradedPrice"])
        filled[row["orderId"]] += row["tradedQuantity"]
        worth[row["orderId"]] += value
        cell = net[row["securityId"], row["productType"]]
        at = 0 if row["transactionType"] == "BUY" else 2
        cell[at] += row["tradedQuantity"]
        cell[at + 1] += value
    for row in book:
        assert row["filledQty"] == filled[row["orderId"]], row
        if row["filledQty"]:
            mean = worth[row["orderId"]] / row["filledQty"] / 100
            assert abs(row["averageTradedPrice"] - mean) < 1e-6, row
    for row in positions:
        cell = net.pop((row["securityId"], row["productType"]))
        bought, sold = paise(row["dayBuyValue"]), paise(row["daySellValue"])
        assert [row["dayBuyQty"], bought, row["daySellQty"], sold] == cell, row
        assert row["netQty"] == cell[0] - cell[2], row
    assert not net, f"trades without a position: {dict(net)}"
    flow = sum(
        (1 if t["transactionType"] == "SELL" else -1)
        * t["tradedQuantity"] * paise(t["tradedPrice"])
        for t in trades
    )  # fmt: skip
    cash = paise(funds["availabelBalance"]) + paise(funds["utilizedAmount"])
    assert cash == paise(funds["sodLimit"]) + flow - charges, (cash, funds, flow, charges)
    assert paise(float(ledger[-1]["runbal"])) == cash
    exits = check_supers(supers, by_id)
    return {
        "orders": len(book), "trades": len(trades), "positions": len(positions), "exits": exits,
    }  # fmt: skip


def _charges(session: requests.Session, rest: str, day: str) -> int:
    """Paise that the day's trades cost, from the pages of the history."""
    charges, page = 0, 0
    names = ("sebiTax", "stt", "brokerageCharges", "serviceTax", "exchangeTransactionCharges",
             "stampDuty")  # fmt: skip
    while rows := _asked(session, rest, f"/trades/{day}/{day}/{page}"):
        charges += sum(paise(row[name]) for row in rows for name in names)
        page += 1
    return charges


def check_supers(rows: list[dict], book: dict[str, dict]) -> int:
    """No super order exits more than it entered; returns how many have exited something."""
    exited = 0
    for row in rows:
        out = [leg for leg in row["legDetails"] if leg["triggeredQuantity"]]
        assert row["filledQty"] == book[row["orderId"]]["filledQty"]
        gone = sum(book[leg["orderId"]]["filledQty"] for leg in out)
        assert gone <= row["filledQty"], row
        whole = all(leg["triggeredQuantity"] == book[leg["orderId"]]["quantity"] for leg in out)
        if row["orderStatus"] == "CLOSED" and whole:
            assert gone == row["filledQty"] > 0, row
        exited += bool(gone)
    return exited


@contextmanager
def serving(home: Path, speed: float) -> Iterator[dict]:
    """The exchange in a process of its own."""
    faults, accounts = home / "faults.yaml", home / "accounts.yaml"
    faults.write_text(yaml.safe_dump(FAULTS))
    accounts.write_text(yaml.safe_dump([{"client_id": CLIENT, "token": TOKEN, "cash": CASH}]))
    command = [sys.executable, "-m", "strikeloom.cli", "exchange", "--market", "synthetic",
               "--speed", f"{speed:.0f}", "--no-limits", "--fresh", "--json",
               "--faults", str(faults),
               "--accounts", str(accounts)]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "STRIKELOOM_HOME": str(home)}
    ) as process:
        text = ""
        try:
            while "\n}" not in text:
                line = process.stdout.readline()
                assert line, "the exchange did not start"
                text += line
            yield json.loads(text)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def main(seconds: float = SECONDS) -> None:
    orders = int(seconds * PER_SECOND)
    speed = MARKET_SECONDS / seconds
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), speed) as found:
        rest = found["rest"]
        master = requests.get(found["instruments"], timeout=60).text.splitlines()
        rows = [line.split(",") for line in master]
        root = next(int(r[2]) for r in rows if r[1] == "I" and r[7] == "SYNDEX")
        lot = next(int(float(r[11])) for r in rows if r[1] == "D" and r[6] == "SYNDEX")
        begun = time.perf_counter()

        def slot(turn: int) -> None:
            time.sleep(max(0.0, begun + turn / PER_SECOND - time.perf_counter()))

        sent = run_load(rest, root, lot, orders, threads=THREADS, seed=SEED, slot=slot)
        took = time.perf_counter() - begun
        while (now := requests.get(found["clock"], timeout=5).json()["now"])[11:16] < "15:31":
            time.sleep(1)  # the session ends: what still waits expires, nothing moves any more
        time.sleep(3)  # late orders show up
        day = now[:10]
        totals = check(rest, sent, day)
        token = Path(found["control_token_file"]).read_text()
        faults = requests.get(
            f"{found['control']}/faults", headers={"control-token": token}, timeout=5
        ).json()
        audit = requests.get(
            f"{found['control']}/audit", headers={"control-token": token}, timeout=60
        ).json()
        assert audit == {"adds_up": True}, audit
    print(f"orders sent        {orders} in {took:.0f} s: {orders / took:.2f} a second (bar 10)")
    print(f"answered           {len(sent.answered)}, refused {len(sent.refused)}, "
          f"unresolved {len(sent.unresolved)}")  # fmt: skip
    print(f"book               {totals['orders']} orders, {totals['trades']} trades, "
          f"{totals['positions']} positions: all add up to the paisa")  # fmt: skip
    print(f"conditional        {sent.calls['super']} super orders ({totals['exits']} exited), "
          f"{sent.calls['wait']} that wait")  # fmt: skip
    print(f"changed, cancelled {sent.calls['modify']}, {sent.calls['cancel']}")
    print(f"faults injected    {faults['injected']}")
    assert orders / took >= 0.98 * PER_SECOND, "the rate was not held"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
