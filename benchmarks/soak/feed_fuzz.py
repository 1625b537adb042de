"""A million messages of the feed with things done to them: packets or a typed error, always.

The suite runs ``mutations`` at a fiftieth.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator

from strikeloom.adapters.dhan.packets import BadPacket, decode
from strikeloom.adapters.dhan.updates import parse_update

COUNT, SEED = 1_000_000, 7

_SIZES = {2: 16, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10, 99: 40}


def _packet(rng: random.Random) -> bytes:
    code = rng.choice(list(_SIZES))
    head = struct.pack("<BHBI", code, _SIZES[code], rng.choice((0, 1, 2, 8)), rng.getrandbits(32))
    return head + rng.randbytes(_SIZES[code] - 8)


def mutations(count: int, seed: int) -> Iterator[bytes]:
    """So many messages: whole ones, with bytes changed, cut, joined, and plain noise."""
    rng = random.Random(seed)
    for _ in range(count):
        message = bytearray(b"".join(_packet(rng) for _ in range(rng.randint(1, 6))))
        kind = rng.randrange(5)
        if kind == 1:
            for _ in range(rng.randint(1, 8)):
                message[rng.randrange(len(message))] = rng.getrandbits(8)
        elif kind == 2:
            del message[rng.randrange(len(message)) :]
        elif kind == 3:
            place = rng.randrange(len(message))
            message[place:place] = rng.randbytes(rng.randint(1, 20))
        elif kind == 4:
            message = bytearray(rng.randbytes(rng.randint(0, 300)))
        yield bytes(message)


def main() -> None:
    good = bad = packets = 0
    longest = 0.0
    for message in mutations(COUNT, SEED):
        began = time.perf_counter()
        found = decode(message)
        parse_update(message)
        longest = max(longest, time.perf_counter() - began)
        assert found.error is None or isinstance(found.error, BadPacket)
        good += found.error is None
        bad += found.error is not None
        packets += len(found.packets)
    print(
        f"fuzz       {COUNT:,} messages: {good:,} whole, {bad:,} with a typed error, {packets:,} "
        f"packets; no other exception, longest {longest * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
