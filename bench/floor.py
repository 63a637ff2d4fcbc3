"""The floor: the answer printed as it comes. `python -m bench.floor RATE`; waits for Enter, ends after the answer."""

from __future__ import annotations

import sys
import time

from bench.text import deltas


def main() -> None:
    rate = float(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    due = time.monotonic()
    for delta in deltas():
        sys.stdout.write(delta)
        sys.stdout.flush()
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
