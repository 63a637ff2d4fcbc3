"""Finds out that content has moved up or down. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.terminal.cells import Row

SWITCH_COST = 10
"""Bytes of another scroll region, about."""


class Band(NamedTuple):
    """Columns `left` to `right` of rows `top` to `bottom`, the ends not included: a place that may scroll."""

    top: int
    bottom: int
    left: int
    right: int


class Shift(NamedTuple):
    """The rows from `top` to `bottom` shall move up by `rows` (below zero: down); that saves about `gain` bytes."""

    rows: int
    top: int
    bottom: int
    gain: int


def find_shift(shown: Sequence[Row], target: Sequence[Row], band: Band, region: tuple[int, int]) -> Shift | None:
    """How the content of the band has moved.

    `region` is the scroll region that is set: kept where that is about as good. None where nothing has moved.
    """
    columns = slice(band.left, band.right)
    old = [(row.text[columns], row.pens[columns]) for row in shown[band.top : band.bottom]]
    new = [(row.text[columns], row.pens[columns]) for row in target[band.top : band.bottom]]
    places: dict[tuple[str, str], int] = {}
    for index, key in enumerate(old):
        # A row that occurs twice says nothing about where it went.
        places[key] = -1 if key in places else index
    votes: dict[int, int] = {}
    for index, key in enumerate(new):
        place = places.get(key, -1)
        if place >= 0 and place != index and not key[0].isspace():
            votes[place - index] = votes.get(place - index, 0) + 1
    if not votes:
        return None
    shift = max(votes, key=lambda each: (votes[each], -abs(each)))
    gains = _gains(old, new, shift)
    first, end = _window(gains, shift)
    top, bottom = region
    if band.top <= top and bottom <= band.bottom and bottom - top > abs(shift):
        here = slice(top - band.top, bottom - band.top)
        if (gain := sum(gains[here])) + SWITCH_COST >= sum(gains[first:end]):
            return Shift(shift, top, bottom, gain)
    return Shift(shift, band.top + first, band.top + end, sum(gains[first:end]))


def _gains(old: list[tuple[str, str]], new: list[tuple[str, str]], shift: int) -> list[int]:
    """What a scroll by `shift` puts right, or spoils (below zero), in each row; about in bytes."""
    gains = []
    for index, row in enumerate(new):
        weight = 1 + len(row[0]) - row[0].count(" ")
        moved_right = 0 <= index + shift < len(old) and row == old[index + shift]
        gains.append(weight * (moved_right - (row == old[index])))
    return gains


def _window(gains: list[int], shift: int) -> tuple[int, int]:
    """First and end row of the region that `shift` scrolls best."""
    height = len(gains)
    # The contiguous rows with the greatest sum (Kadane).
    best = total = start = 0
    first, end = 0, height
    for index, gain in enumerate(gains):
        if total <= 0:
            total, start = 0, index
        total += gain
        if total > best:
            best, first, end = total, start, index + 1
    first, end = min(first, first + shift), max(end, end + shift)
    # The whole band where that is as good: the region then stays as it is from frame to frame.
    return (0, height) if sum(gains) >= best else (max(0, first), min(height, end))
