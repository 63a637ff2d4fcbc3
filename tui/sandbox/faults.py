"""Faults and quirks by name: what is asked for, by whom, and for which request.

A switch is written `name`, `name=argument` or, for another action than its own, `name@Action` and
`name@Action=argument` (`@*`: any action).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from tui.sandbox.switch import ANY, Switch
from tui.sandbox.switches import SWITCHES


@dataclass(frozen=True, slots=True)
class Fault:
    """One switch that is on."""

    switch: Switch
    argument: str
    action: str

    def fits(self, action: str) -> bool:
        return self.action in (ANY, action)


def parse(text: str, *, everywhere: bool = False) -> Fault:
    """One switch from its written form; `everywhere`: without `@`, it holds for whatever is asked.

    Raises:
        ValueError: no switch of that name, or an argument that is not a number where one is needed.
    """
    head, _, argument = text.strip().partition("=")
    name, at, action = head.partition("@")
    switch = SWITCHES.get(name.strip())
    if switch is None:
        raise ValueError(f"no switch is called {name.strip()!r}")
    argument = argument.strip() or switch.default
    if switch.default.replace(".", "", 1).isdigit():
        float(argument)
    return Fault(switch, argument, action.strip() if at else ANY if everywhere else switch.action)


def parse_many(texts: Iterable[str], *, everywhere: bool = False) -> tuple[Fault, ...]:
    """Like `parse`, each text with one switch or several divided by commas."""
    parts = (part for text in texts for part in text.split(","))
    return tuple(parse(part, everywhere=everywhere) for part in parts if part.strip())


class Faults:
    """The switches that are on for one request."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._arguments = {fault.switch.name: fault.argument for fault in faults}

    def __contains__(self, name: str) -> bool:
        assert name in SWITCHES, name
        return name in self._arguments

    def written(self) -> list[str]:
        """In the form that `parse` reads."""
        return [f"{name}={argument}" if argument else name for name, argument in self._arguments.items()]

    def argument(self, name: str) -> str:
        """The switch's argument; empty where it is off."""
        assert name in SWITCHES, name
        return self._arguments.get(name, "")

    def number(self, name: str) -> float | None:
        """The switch's argument as a number; None where it is off."""
        return float(self._arguments[name]) if name in self else None

    def count(self, name: str) -> int | None:
        """The switch's argument as a whole number; None where it is off."""
        return int(float(self._arguments[name])) if name in self else None


class FaultBoard:
    """What was switched on for good, and what waits for the next request that it fits."""

    def __init__(self, standing: Iterable[str] = ()) -> None:
        self._standing = parse_many(standing)
        self._once: deque[Fault] = deque()

    def set(self, texts: Iterable[str]) -> None:
        """Replace what is on for good."""
        self._standing = parse_many(texts)

    def add_once(self, texts: Iterable[str]) -> None:
        """Each for the next request that it fits. The same switch twice: for the next two."""
        self._once.extend(parse_many(texts))

    def clear(self) -> None:
        self._standing = ()
        self._once.clear()

    def take(self, action: str, header: str = "") -> Faults:
        """The switches for a request of `action`; one-time switches that fit are used up.

        Raises:
            ValueError: the header names a switch that is not there.
        """
        asked = [fault for fault in parse_many([header], everywhere=True) if fault.fits(action)]
        chosen = [fault for fault in self._standing if fault.fits(action)]
        taken: dict[str, Fault] = {}
        for fault in tuple(self._once):
            if fault.fits(action) and fault.switch.name not in taken:
                taken[fault.switch.name] = fault
                self._once.remove(fault)
        return Faults([*chosen, *taken.values(), *asked])

    def describe(self) -> dict[str, list[str]]:
        def written(faults: Iterable[Fault]) -> list[str]:
            return [f"{f.switch.name}@{f.action}" + (f"={f.argument}" if f.argument else "") for f in faults]

        return {"set": written(self._standing), "once": written(self._once)}
