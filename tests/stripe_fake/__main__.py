"""`python -m tests.stripe_fake PORT FILE`: the stand-in for a browser, with a clock that can be moved."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from tests.stripe_fake.catalogue import create_coupon, create_promotion_code
from tests.stripe_fake.server import delivering, running
from tests.stripe_fake.world import World


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    file.parent.mkdir(parents=True, exist_ok=True)
    world = World(file=file, shared_clock=True)
    if not world.all("coupons"):
        coupon = create_coupon(world, {"percent_off": "20", "duration": "once", "name": "Welcome"})
        create_promotion_code(world, {"coupon": coupon["id"], "code": "WELCOME20"})
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(world, port=port), delivering(world):
        sys.stdout.write(f"The stand-in for Stripe listens at {world.base}; its clock: {world.base}/clock\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
