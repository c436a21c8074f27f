"""Pictures of the demo: `python -m tests.browser.screenshots` makes those of the README.

With a folder as argument it takes every page there, on a phone and on a desk, light and dark, Korean and
English, for people to look at.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, async_playwright, expect

from server.demo.people import PASSWORD
from server.settings import ROOT
from tests.browser.live import LiveShop, live_demo
from tests.browser.visitor import DESK, PHONE, Visitor
from tests.chromium import ARGUMENTS, EXECUTABLE
from tests.conftest import free_settings

Scheme = Literal["light", "dark"]
COURSE = "slow-bread"


async def home(visitor: Visitor) -> None:
    await visitor.open("/")


async def course(visitor: Visitor) -> None:
    await visitor.open(f"/courses/{COURSE}")


async def checkout(visitor: Visitor) -> None:
    await visitor.open_checkout(COURSE)
    await visitor.fill_in("mina@mail.example")
    await visitor.card.locator('[name="cvc"]').blur()


async def courses(visitor: Visitor) -> None:
    await visitor.sign_in("viewer@playbill.example", PASSWORD)
    await visitor.open("/learn")


async def watch(visitor: Visitor) -> None:
    await courses(visitor)
    await visitor.page.locator(".shelf a").first.click()
    await visitor.play()
    await visitor.plays_past(5)


async def order(visitor: Visitor) -> None:
    await visitor.sign_in("admin@playbill.example", PASSWORD)
    await visitor.open("/admin/orders")
    await visitor.page.locator("tbody a").first.click()
    await expect(visitor.page.locator(".desk-columns")).to_be_visible()


SCENES: dict[str, Callable[[Visitor], Awaitable[None]]] = {
    "home": home,
    "course": course,
    "checkout": checkout,
    "courses": courses,
    "watch": watch,
    "order": order,
}
WIDTHS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE, "is_mobile": True, "has_touch": True},
    "desk": {"viewport": DESK},
}
LOCALES = {"ko": "ko-KR", "en": "en-US"}


class Photographer:
    def __init__(self, browser: Browser, shop: LiveShop, folder: Path) -> None:
        self.browser = browser
        self.shop = shop
        self.folder = folder

    async def take(
        self, scene: str, width: str, scheme: Scheme, language: str, file: str, *, whole_page: bool
    ) -> None:
        """One picture, by a visitor who comes anew."""
        visitor = await Visitor.arrive(
            self.browser, self.shop, color_scheme=scheme, locale=LOCALES[language], **WIDTHS[width]
        )
        await SCENES[scene](visitor)
        await visitor.page.evaluate("document.fonts.ready.then(() => true)")
        await visitor.page.screenshot(path=self.folder / file, full_page=whole_page)
        await visitor.context.close()


async def take_all(photographer: Photographer) -> None:
    for scene in SCENES:
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                for language in LOCALES:
                    file = f"{scene}-{width}-{scheme}-{language}.png"
                    await photographer.take(scene, width, scheme, language, file, whole_page=True)


async def take_for_readme(photographer: Photographer) -> None:
    await photographer.take("home", "desk", "light", "en", "home.png", whole_page=False)
    await photographer.take("checkout", "phone", "dark", "ko", "checkout.png", whole_page=False)
    await photographer.take("watch", "desk", "dark", "en", "watch.png", whole_page=False)


async def run(folder: Path | None) -> None:
    with tempfile.TemporaryDirectory() as var_dir, live_demo(free_settings(Path(var_dir))) as shop:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
            if folder is None:
                await take_for_readme(Photographer(browser, shop, ROOT / "docs" / "pictures"))
            else:
                await take_all(Photographer(browser, shop, folder))
            await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="take every page into this folder")
    asyncio.run(run(parser.parse_args().folder))
