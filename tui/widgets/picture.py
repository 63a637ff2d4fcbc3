"""A PNG in cells: two pixels in each, one above the other. Its library is an extra of the package (`pictures`)."""

from __future__ import annotations

import base64
from io import BytesIO

from rich.segment import Segments

MOST_PIXELS = 40_000_000
"""Of a picture that is drawn: more would fill the memory."""


class NoPicture(Exception):
    """The data is not a picture that can be drawn."""


def cells_of(data: str, width: int, height: int) -> Segments:
    """The picture (base64) in at most `width` x `height` cells. Blocking: it takes some 10 ms.

    Raises:
        ImportError: the libraries are not installed.
        NoPicture: it is damaged, or too large.
    """
    from PIL import Image, UnidentifiedImageError
    from rich_pixels import HalfcellRenderer

    try:
        image = Image.open(BytesIO(base64.b64decode(data)), formats=["PNG"])
        if image.width * image.height > MOST_PIXELS:
            raise NoPicture
        # A chart is drawn for a white page; what shines through would stand on the terminal's own ground.
        pixels = image.convert("RGBA")
        page = Image.new("RGBA", pixels.size, "white")
        page.alpha_composite(pixels)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as error:
        raise NoPicture from error
    scale = min(width / page.width, height * 2 / page.height, 1.0)
    size = max(1, round(page.width * scale)), max(2, round(page.height * scale / 2) * 2)
    return Segments(HalfcellRenderer().render(page.resize(size, Image.Resampling.LANCZOS), None))
