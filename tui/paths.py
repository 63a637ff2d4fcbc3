"""Where files are. Nothing is made here: who writes makes the folder, private.

In order: `--data-dir`, `$YUNLIAO_DATA_DIR`, the XDG folders. Where the state folder cannot be used, the cache goes to
`$XDG_RUNTIME_DIR`, which is gone after the log-out, and where there is none it stays in memory; both are said. Never
`/tmp`: other people can write there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

NAME = "yunliao"
_NOWHERE = Path("/nonexistent") / NAME


class Paths(NamedTuple):
    config: Path
    """Settings, keys and the user's own themes."""
    state: Path | None
    """Conversations, drafts, sent questions, locks; None where there is no home to keep them in."""
    cache: Path
    """What can be made again."""
    downloads: Path
    """Where exports and files of the services go."""
    runtime: Path | None = None
    """In place of `state` where that cannot be used; None where the user chose the folder."""

    @property
    def settings(self) -> Path:
        return self.config / "settings.toml"


def resolve(data_dir: Path | None = None, environ: Mapping[str, str] = os.environ) -> Paths:
    """The folders for this run: below `data_dir` or `$YUNLIAO_DATA_DIR` if given, else where XDG has them."""
    chosen = data_dir or (Path(value) if (value := environ.get("YUNLIAO_DATA_DIR")) else None)
    if chosen is not None:
        root = Path(os.path.abspath(os.path.expanduser(chosen)))
        return Paths(root / "config", root / "state", root / "cache", root / "downloads")
    from platformdirs import PlatformDirs

    folders = PlatformDirs(NAME, appauthor=False)
    state = _absolute(lambda: folders.user_state_path)
    return Paths(
        config=_absolute(lambda: folders.user_config_path),
        # A home that is not there is not made: it may be one that is mounted later.
        state=state if state != _NOWHERE and (environ.get("XDG_STATE_HOME") or _has_home()) else None,
        cache=_absolute(lambda: folders.user_cache_path),
        downloads=_absolute(lambda: folders.user_downloads_path),
        runtime=_runtime(environ),
    )


def _absolute(find: Callable[[], Path]) -> Path:
    """What `find` finds, or a folder that is nowhere: for users without HOME and without an entry there is none."""
    try:
        path = find()
    except RuntimeError:
        return _NOWHERE
    return path if path.is_absolute() else _NOWHERE


def _has_home() -> bool:
    try:
        return Path.home().is_dir()
    except RuntimeError:
        return False


def _runtime(environ: Mapping[str, str]) -> Path | None:
    folder = environ.get("XDG_RUNTIME_DIR", "")
    return Path(folder) / NAME if folder.startswith("/") and os.path.isdir(folder) else None
