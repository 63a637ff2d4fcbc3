"""The transcript: one widget that paints the lines of a conversation."""

from tui.widgets.transcript.widget import Transcript

__all__ = ["Transcript"]
