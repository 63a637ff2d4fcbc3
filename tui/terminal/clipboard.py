"""Copying text out of a terminal that may be at the far end of SSH, tmux and a web page, and saying honestly how.

No way works everywhere: native tools act on the machine that the program runs on, OSC 52 is dropped by some
terminals and by tmux and screen unless they are told otherwise, and nothing tells the program which of it happened.
So every way that can work is tried, and the verdict says what was done and on what grounds. "Copied" is said only
where a program that owns the clipboard reported success.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import which

from tui.text import safe_file_name
from tui.words import _

MAX_BASE64 = 74_000
"""Characters of base64 in one OSC 52; xterm and others drop the whole sequence when it is longer than about 74,994."""

SCREEN_CHUNK = 240
"""Bytes of one device control string; GNU screen drops what is longer than its own small buffer (256 in old ones)."""

PATIENCE = 2.0
"""Seconds that tmux or a native tool may take."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a copy."""

    sentence: str
    """For the user, one or two sentences."""
    tried: tuple[str, ...]
    """The ways that were taken: `tmux`, `osc52`, `wl-copy`, `xclip`, `xsel`, `pbcopy`, `clip.exe`, `file`."""
    path: Path | None = None
    """The file that was written, if one was."""
    confirmed: bool = False
    """A program that owns a clipboard reported success."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the program runs, as far as copying is concerned."""

    ssh: bool
    tmux: bool
    screen: bool
    maybe_multiplexed: bool
    """TERM is that of tmux or screen, but neither runs on this machine: one may run where the line begins."""
    wayland: bool
    x11: bool

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Place:
        term = environ.get("TERM", "")
        tmux, screen = bool(environ.get("TMUX")), bool(environ.get("STY"))
        return cls(
            ssh=any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")),
            tmux=tmux,
            screen=screen and not tmux,
            maybe_multiplexed=not (tmux or screen) and term.startswith(("tmux", "screen")),
            wayland=bool(environ.get("WAYLAND_DISPLAY")),
            x11=bool(environ.get("DISPLAY")),
        )


async def copy(
    text: str,
    *,
    write: Callable[[str], None],
    folder: Path,
    environ: Mapping[str, str] | None = None,
    limit: int = MAX_BASE64,
) -> Verdict:
    """Bring `text` to the clipboard by every way that can work here, and to a file in `folder` when none can.

    `write` sends control sequences to the terminal. `limit` is the longest base64 that OSC 52 may carry.
    Raises `OSError` only when the file was the last way and could not be written.
    """
    place = Place.of(os.environ if environ is None else environ)
    tried: list[str] = []
    if not text:
        return Verdict(_("There is nothing to copy."), ())
    native = None if place.ssh else await _native(text, place, tried)
    in_tmux, tmux_passes_on = await _tmux(text, tried) if place.tmux else (False, False)
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    sent = len(encoded) <= limit
    if sent and not tmux_passes_on:
        write(osc52(encoded, place))
        tried.append("osc52")
    size = readable_size(len(text.encode("utf-8", "replace")))
    if native:
        return Verdict(
            _("Copied to the clipboard with {tool}, {size}.").format(tool=native, size=size), (*tried,), None, True
        )
    if in_tmux and tmux_passes_on:
        sentence = _(
            "In tmux's buffer, {size}; tmux passed it to your terminal, which does not confirm it. w writes a file."
        )
        return Verdict(sentence.format(size=size), (*tried,), None, True)
    if in_tmux:
        sentence = _("In tmux's buffer, {size}. It may not be in your own clipboard: tmux's set-clipboard is off.")
        return Verdict(sentence.format(size=size), (*tried,), None, True)
    if sent:
        sentence = _("Sent to the terminal by OSC 52, {size}, not confirmed by it. w writes it to a file.")
        return Verdict(sentence.format(size=size), (*tried,))
    path = await save(text, folder)
    sentence = _("Too long for the terminal's clipboard ({size}), so it is in {path}.")
    return Verdict(sentence.format(size=size, path=path), (*tried, "file"), path)


async def save(text: str | bytes, folder: Path, name: str = "") -> Path:
    """Write `text` to a new file, readable by its owner alone, in `folder` (made when missing, 0700); return its path.

    `name` is only a wish: it is made safe, and numbered when taken. Raises `OSError`.
    """
    wanted = safe_file_name(name or f"copy-{datetime.now(UTC):%Y%m%d-%H%M%S}.txt", "copy.txt")
    return await asyncio.to_thread(_save, text, folder, wanted)


def osc52(encoded: str, place: Place) -> str:
    """The sequences that carry base64 text to the terminal's clipboard from where the program runs.

    In tmux: raw (taken when `set-clipboard` is `on`) and wrapped (passed when `allow-passthrough` is on). In screen:
    wrapped in pieces. Behind an unknown multiplexer at the other end of the line: raw and both wrappings; each ignores
    those of the others.
    """
    raw = f"\x1b]52;c;{encoded}\x07"
    for_tmux = "\x1bPtmux;" + raw.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    pieces = (raw[start : start + SCREEN_CHUNK] for start in range(0, len(raw), SCREEN_CHUNK))
    for_screen = "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    if place.tmux:
        return raw + for_tmux
    if place.screen:
        return for_screen
    if place.maybe_multiplexed:
        return raw + for_tmux + for_screen
    return raw


def readable_size(size: int) -> str:
    """`size` bytes for a reader: `812 bytes`, `1.2 KB`, `3.4 MB`."""
    if size < 1000:
        return _("{n} bytes").format(n=size)
    return f"{size / 1000:.1f} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


async def _tmux(text: str, tried: list[str]) -> tuple[bool, bool]:
    """Load tmux's buffer; return whether it has the text, and whether it passes it on to the terminal."""
    tmux = which("tmux")
    if tmux is None:
        return False, False
    tried.append("tmux")
    if await _feed([tmux, "load-buffer", "-w", "-"], text):
        setting = await _answer([tmux, "show-options", "-sv", "set-clipboard"])
        return True, setting in ("on", "external")
    # Before tmux 3.2 there is no -w.
    return await _feed([tmux, "load-buffer", "-"], text), False


async def _native(text: str, place: Place, tried: list[str]) -> str | None:
    """Hand the text to the first native tool that takes it; return its name."""
    tools: list[list[str]] = []
    if place.wayland:
        tools.append(["wl-copy"])
    if place.x11:
        tools += [["xclip", "-selection", "clipboard", "-in"], ["xsel", "--clipboard", "--input"]]
    tools += [["pbcopy"], ["clip.exe"]]
    for name, *arguments in tools:
        if (program := which(name)) is not None:
            tried.append(name)
            if await _feed([program, *arguments], text):
                return name
    return None


async def _feed(command: list[str], text: str) -> bool:
    """Run `command` with `text` on its standard input; True when it ends with 0 in time."""
    # Its output goes nowhere: xclip stays in the background with the pipe open.
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=nowhere, stderr=nowhere)
    except OSError:
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            await process.communicate(text.encode("utf-8", "replace"))
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return process.returncode == 0


async def _answer(command: list[str]) -> str:
    """The standard output of `command`, or nothing when it fails."""
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=nowhere, stdout=pipe, stderr=nowhere)
    except OSError:
        return ""
    try:
        async with asyncio.timeout(PATIENCE):
            output, _errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return output.decode("utf-8", "replace").strip() if process.returncode == 0 else ""


def _save(text: str | bytes, folder: Path, name: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem, suffix = os.path.splitext(name)
    for number in range(1, 1000):
        path = folder / (name if number == 1 else f"{stem} ({number}){suffix}")
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        with open(fd, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
        return path
    raise FileExistsError(f"{folder / name} and its numbered names are taken")
