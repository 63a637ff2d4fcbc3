"""One file on its way to or from a service, as screens see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tui.models import Problem
from tui.services.dms_options import DataSource
from tui.words import _

Step = Literal["queued", "leave", "send", "register", "receive", "done", "failed", "cancelled"]
OVER: frozenset[Step] = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Transfer:
    """One file on its way."""

    id: str
    kind: Literal["upload", "download", "registration"]
    name: str
    size: int
    """Bytes; 0 where not known."""
    step: Step = "queued"
    done: int = 0
    """Bytes."""
    rate: float = 0.0
    """Bytes a second, lately."""
    failed_step: Step = "queued"
    """Where it goes on when it is tried again."""
    problem: Problem | None = None
    file_id: str = ""
    source: DataSource | None = None
    """An upload that is ready, to be worked on."""
    path: Path | None = None
    """Where a download lies."""

    @property
    def is_over(self) -> bool:
        return self.step in OVER

    @property
    def seconds_left(self) -> float | None:
        """Of sending or receiving, at this rate; None where that is not known."""
        moving = self.step in ("send", "receive") and self.rate > 0 and self.size
        return (self.size - self.done) / self.rate if moving else None


def describe_step(transfer: Transfer) -> str:
    """The step in a word or two: `sending`, `ready f-8c2…`."""
    words: dict[Step, str] = {
        "queued": _("waiting"),
        "leave": _("signing"),
        "send": _("sending"),
        "register": _("registering"),
        "receive": _("receiving"),
        "cancelled": _("cancelled"),
    }
    match transfer.step:
        case "done":
            return str(transfer.path) if transfer.path else _("ready {id}").format(id=transfer.file_id)
        case "failed":
            where = words.get(transfer.failed_step, "")
            reason = transfer.problem.sentence if transfer.problem else ""
            return _("failed while {step}: {reason}").format(step=where, reason=reason)
    return words.get(transfer.step, transfer.step)
