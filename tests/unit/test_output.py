"""What is written reaches the terminal in order, and never holds up whoever writes."""

from __future__ import annotations

import os
import pty
import random
import threading
import tty
from collections.abc import Iterator

import pytest

from tui.terminal.output import AT_ONCE, Output


@pytest.fixture
def line() -> Iterator[tuple[int, Output]]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    output = Output(slave)
    output.start()
    yield master, output
    output.mute()
    output.stop(0.1)
    os.close(master)
    os.close(slave)


def read(master: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += os.read(master, 65536)
    return data


def test_what_is_small_is_written_at_once(line: tuple[int, Output]) -> None:
    master, output = line
    output.write("a key")
    assert output.backlog == 0
    assert os.read(master, 100) == b"a key"


def test_all_comes_in_order(line: tuple[int, Output]) -> None:
    master, output = line
    chance = random.Random(1)
    texts = [chr(65 + number % 26) * chance.choice((1, 20, AT_ONCE, AT_ONCE + 1, 9000)) for number in range(300)]
    wanted = "".join(texts).encode()
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(read(master, len(wanted))))
    reader.start()
    for text in texts:
        output.write(text)
    reader.join(20)
    assert got == [wanted]
    assert output.written == len(wanted)


def test_a_line_that_takes_nothing_holds_nobody_up(line: tuple[int, Output]) -> None:
    _master, output = line
    for _write in range(1000):
        output.write("x" * 1000)
    assert output.backlog > 500_000, "nobody reads, and all was written nevertheless"
