"""What the command line decides for a run; flags win over the environment and the settings file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SERVICES = ("rds", "dms", "dashscope")
"""The services by their short names (`tui.models.ServiceName`), in the order in which they are offered."""


class Options(NamedTuple):
    sandbox: bool = False
    """Use the embedded sandbox even where credentials are found."""
    profile: str = ""
    data_dir: Path | None = None
    """Everything that is written goes below this folder."""
    language: str = ""
    service: str = ""
    plain_display: bool = False
    """Textual's own painting, without the painter."""
    low: bool = False
    """The low-bandwidth profile, whatever is measured."""
    faults: tuple[str, ...] = ()
    """Switches of the embedded sandbox."""
    stats: bool = False
    """Print figures of the run to stderr at the end."""
