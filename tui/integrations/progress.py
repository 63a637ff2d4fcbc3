"""What is kept of the checklists: ticks and values, never a secret. One small TOML file, replaced as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tui.text import clean_line


@dataclass(frozen=True, slots=True)
class Progress:
    """Ticks as `guide/step`, values as `guide/parameter`."""

    ticks: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)

    def ticked(self, guide: str, step: str) -> bool:
        return f"{guide}/{step}" in self.ticks

    def with_tick(self, guide: str, step: str, *, ticked: bool = True) -> Progress:
        tick = {f"{guide}/{step}"}
        return replace(self, ticks=self.ticks | tick if ticked else self.ticks - tick)

    def value(self, guide: str, parameter: str) -> str:
        return self.values.get(f"{guide}/{parameter}", "")

    def with_value(self, guide: str, parameter: str, value: str) -> Progress:
        return replace(self, values={**self.values, f"{guide}/{parameter}": value})


def read(path: Path) -> Progress:
    """What the file holds; nothing where there is none, or where it is not one of ours. Raises OSError."""
    import tomli

    try:
        table: dict[str, Any] = tomli.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Progress()
    except (ValueError, UnicodeDecodeError):  # damaged; what it held is quickly ticked again
        return Progress()
    ticks, values = table.get("ticks", []), table.get("values", {})
    return Progress(
        frozenset(tick for tick in ticks if isinstance(tick, str)) if isinstance(ticks, list) else frozenset(),
        {key: clean_line(value) for key, value in values.items() if isinstance(value, str)}
        if isinstance(values, dict)
        else {},
    )


def update(path: Path, change: Callable[[Progress], Progress]) -> Progress:
    """Change what the file holds by now, which another window may have changed too; what it holds then. Raises OSError.

    The file is private, and replaced as a whole.
    """
    import tomli_w

    from tui.cache import files

    files.private_folder(path.parent)
    with files.locked(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT):
        progress = change(read(path))
        values = {key: value for key, value in progress.values.items() if value}
        files.replace(path, tomli_w.dumps({"ticks": sorted(progress.ticks), "values": values}).encode())
    return progress
