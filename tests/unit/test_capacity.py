"""The capacity planner against the table of the vendor's guide."""

from __future__ import annotations

import pytest

from tui.integrations.capacity import DURATIONS, MOST_PACKAGES, Capacity, capacity_for

GUIDE = [
    # packages, tasks, tokens a day, CNY and USD a month
    (0, 5, 500_000_000, 6_000, 869),
    (1, 15, 1_500_000_000, 16_000, 2_317),
    (2, 25, 2_500_000_000, 26_000, 3_765),
    (3, 35, 3_500_000_000, 36_000, 5_213),
    (4, 45, 4_500_000_000, 46_000, 6_661),
    (5, 55, 5_500_000_000, 56_000, 8_109),
]


@pytest.mark.parametrize(("packages", "tasks", "tokens", "cny", "usd"), GUIDE)
def test_as_in_the_guide(packages: int, tasks: int, tokens: int, cny: int, usd: int) -> None:
    capacity = Capacity(packages)
    assert (capacity.tasks, capacity.tokens_a_day) == (tasks, tokens)
    assert (capacity.price("CNY"), capacity.price("USD")) == (cny, usd)
    for months in DURATIONS:
        assert capacity.price("CNY", months) == cny * months


@pytest.mark.parametrize(("packages", "tasks", "tokens", "_cny", "_usd"), GUIDE)
def test_the_smallest_that_carries_it(packages: int, tasks: int, tokens: int, _cny: int, _usd: int) -> None:
    assert capacity_for(tasks, tokens) == Capacity(packages)
    for wanted in (capacity_for(tasks + 1), capacity_for(0, tokens + 1)):
        assert wanted == (Capacity(packages + 1) if packages < MOST_PACKAGES else None)


def test_what_is_not_sold_has_no_price() -> None:
    with pytest.raises(ValueError, match="2 months"):
        Capacity(0).price("CNY", 2)
    for packages in (-1, 6):
        with pytest.raises(ValueError, match="capacity packages"):
            Capacity(packages)
