"""Where the pictures of the documentation go."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from playwright.async_api import Page, ViewportSize

COLOURS = 48
"""Enough for flat pages; a third of the size."""
ZOOMED = ViewportSize(width=683, height=384)
"""1366 x 768 at 200 %."""


class Album:
    """Takes pictures of one kind of screen."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder = folder
        self._kind = kind
        self.files: list[Path] = []

    async def add(self, page: Page, name: str) -> None:
        """Take a picture of the screen, once it is still."""
        file = self._folder / f"{self._kind}-{name}.png"
        await page.wait_for_timeout(300)
        await page.screenshot(path=file, animations="disabled")
        with Image.open(file) as picture:
            picture.convert("RGB").quantize(COLOURS).save(file, optimize=True)
        self.files.append(file)
