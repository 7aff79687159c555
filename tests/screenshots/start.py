"""The demo's start page after its first minutes, from a running city: three came to the kiosks, and one mail is out."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from playwright.async_api import ViewportSize

from provisioning.demo.city import City
from tests.kit.browser import chromium
from tests.kit.city import running_city
from tests.screenshots.album import COLOURS
from tests.smoke.__main__ import addresses_of
from tests.smoke.faces import Central, Kiosk

SCREEN = ViewportSize(width=1366, height=768)


async def take_start(scratch: Path, folder: Path) -> list[Path]:
    """The picture, of the whole page; its file.

    Args:
        scratch: for the city.
    """
    with running_city(folder=scratch) as city:  # starts and stops while nothing else wants the loop
        return [await _take(city, folder / "start.png")]


async def _take(city: City, file: Path) -> Path:
    addresses = addresses_of(city)
    central = Central(addresses.central, addresses.api_secret)
    booking = await central.book("centro", "registro", (await central.starts("centro", "registro"))[0], 1)
    assert booking is not None
    async with (
        Kiosk("centro", addresses.offices["centro"], addresses.desk) as centro,
        Kiosk("real", addresses.offices["real"], addresses.desk) as real,
    ):
        await centro.type(booking["locator"])
        await centro.walk_in("padron-certificado")
        await real.walk_in("padron-certificado")
    async with chromium() as browser:
        page = await browser.new_page(viewport=SCREEN, locale="en-GB", reduced_motion="reduce")
        await page.goto(addresses.desk)
        await page.wait_for_timeout(2_000)
        await page.screenshot(path=file, full_page=True, animations="disabled")
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(COLOURS).save(file, optimize=True)
    return file
