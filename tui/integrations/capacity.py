"""What the editions of RDS Copilot can do at once, how much in a day, and what they cost by the list.

Source: protocol notes (RDS Copilot) 8. The base of 5 tasks and 0.5 billion tokens is derived there from the maxima.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Currency = Literal["CNY", "USD"]

MOST_PACKAGES = 5
"""Capacity packages that can be had beside the base."""
DURATIONS = (1, 3, 6, 12)
"""Months that can be bought."""
_TASKS, _TASKS_EACH = 5, 10
_TOKENS, _TOKENS_EACH = 500_000_000, 1_000_000_000
_PRICE: dict[Currency, tuple[int, int]] = {"CNY": (6_000, 10_000), "USD": (869, 1_448)}
"""A month: the base, each package."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """The Professional Edition with so many capacity packages.

    Raises:
        ValueError: not 0 to `MOST_PACKAGES`.
    """

    packages: int

    def __post_init__(self) -> None:
        if not 0 <= self.packages <= MOST_PACKAGES:
            raise ValueError(f"{self.packages} capacity packages: 0 to {MOST_PACKAGES} are sold")

    @property
    def tasks(self) -> int:
        """Tasks at the same time."""
        return _TASKS + _TASKS_EACH * self.packages

    @property
    def tokens_a_day(self) -> int:
        return _TOKENS + _TOKENS_EACH * self.packages

    def price(self, currency: Currency, months: int = 1) -> int:
        """The list price of `months`, whole units of the currency; no discount is known.

        Raises:
            ValueError: a duration that is not sold.
        """
        if months not in DURATIONS:
            raise ValueError(f"{months} months: only {DURATIONS} are sold")
        base, each = _PRICE[currency]
        return months * (base + each * self.packages)


def capacity_for(tasks: int = 0, tokens_a_day: int = 0) -> Capacity | None:
    """The smallest that carries both; None where even the greatest does not."""
    # -(-a // b) rounds up.
    by_tasks = -(-(tasks - _TASKS) // _TASKS_EACH)
    by_tokens = -(-(tokens_a_day - _TOKENS) // _TOKENS_EACH)
    packages = max(0, by_tasks, by_tokens)
    return Capacity(packages) if packages <= MOST_PACKAGES else None
