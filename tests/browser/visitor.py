"""A browser of its own and the person at it: what she does, in her words, and what she must never meet."""

import re
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Frame,
    FrameLocator,
    Locator,
    Page,
    ViewportSize,
    WebError,
    expect,
)

from tests.browser.live import LiveShop
from tests.factories import PASSWORD, eventually

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 800}

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
THREE_D_SECURE = "4000000000003220"

# Where the player's address says that the video starts, in seconds.
START = re.compile(r"[?;&]s=(\d+)")

# In every frame: a window that opens and a thing that the policy blocks are told to the test.
WATCHMAN = """
window.open = (url) => { tellTest(`window.open(${url})`); return null; };
addEventListener("securitypolicyviolation", (event) => {
  tellTest(`${event.violatedDirective} blocked ${event.blockedURI} on ${event.documentURI}`);
});
"""


class Visitor:
    """One browser context. `problems` has to be empty at the end, except for what `expected` matches."""

    def __init__(self, context: BrowserContext, shop: LiveShop) -> None:
        self.context = context
        self.shop = shop
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.travelled: list[str] = []
        self.page: Page

    @classmethod
    async def arrive(cls, browser: Browser, shop: LiveShop, **options: Any) -> "Visitor":
        context = await browser.new_context(
            **{"base_url": shop.url, "viewport": PHONE, "locale": "en-US", **options}
        )
        context.set_default_timeout(20_000)
        visitor = cls(context, shop)
        await context.expose_binding("tellTest", lambda _, text: visitor.problems.append(text))
        await context.add_init_script(WATCHMAN)
        context.on("console", visitor._hear)
        context.on("weberror", visitor._stumble)
        context.on("page", lambda page: page.on("framenavigated", visitor._travel))
        visitor.page = await context.new_page()
        return visitor

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.problems.append(f"{said.type}: {said.text} ({said.location['url']})")

    def _stumble(self, error: WebError) -> None:
        self.problems.append(f"uncaught: {error.error}")

    def _travel(self, frame: Frame) -> None:
        if frame.parent_frame is None:
            self.travelled.append(frame.url)

    def unexpected(self) -> list[str]:
        """What a visitor must never meet: errors, blocked parts, windows, other sites."""
        abroad = [url for url in self.travelled if not url.startswith((self.shop.url + "/", "about:blank"))]
        met = self.problems + [f"went to {url}" for url in abroad]
        return [one for one in met if not any(re.search(pattern, one) for pattern in self.expected)]

    # Going about

    async def open(self, path: str) -> None:
        await self.page.goto(path)

    async def come_back(self) -> None:
        """Close the tab and open another in the same browser."""
        await self.page.close(run_before_unload=False)
        self.page = await self.context.new_page()

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name, exact=True).filter(visible=True).first

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True).filter(visible=True).first

    async def press_tab(self) -> None:
        """And wait until the focus has moved: in and out of a frame of another site it does so late."""
        before = await self._focus()
        await self.page.keyboard.press("Tab")

        async def has_moved() -> bool:
            return await self._focus() != before

        await eventually(has_moved)

    async def _focus(self) -> list[Any]:
        """What has the focus, in the page and in every frame of it."""
        look = "() => [document.hasFocus(), document.activeElement?.outerHTML.slice(0, 200)]"
        return [await frame.evaluate(look) for frame in self.page.frames]

    # Paying

    @property
    def form(self) -> Locator:
        return self.page.locator("[data-checkout]")

    @property
    def pay_button(self) -> Locator:
        return self.page.locator("[data-pay]")

    @property
    def card(self) -> FrameLocator:
        return self.page.frame_locator('iframe[title="Secure payment input frame"]')

    @property
    def bank(self) -> FrameLocator:
        return self.page.frame_locator('iframe[src*="three-ds-2-challenge"]').frame_locator(
            'iframe[name="stripe-challenge-frame"]'
        )

    @property
    def notices(self) -> Locator:
        """What the checkout says of a refusal; told once."""
        return self.form.locator("[data-notice]").filter(visible=True)

    async def is_told(self, *words: str) -> None:
        """One notice says so and has the focus, and it and the button below it are in view."""
        await expect(self.notices).to_have_count(1)
        await expect(self.notices).to_be_focused()
        for one in words:
            await expect(self.notices).to_contain_text(one, use_inner_text=True)
        for one_seen in (self.notices, self.pay_button):
            await expect(one_seen).to_be_in_viewport(ratio=1)

    async def sees(self, state: str) -> None:
        """The checkout form is in this state."""
        await expect(self.form).to_have_attribute("data-state", state, timeout=20_000)

    async def open_checkout(self, slug: str) -> None:
        await self.open(f"/checkout/{slug}")
        await self.sees("ready")

    async def type_card(self, number: str = GOOD) -> None:
        await self.card.locator('[name="number"]').fill(number)
        await self.card.locator('[name="expiry"]').fill("12 / 34")
        await self.card.locator('[name="cvc"]').fill("123")

    async def fill_in(self, email: str, number: str = GOOD) -> None:
        await self.page.locator("[name=email]").fill(email)
        await self.type_card(number)

    async def press_pay_again(self) -> None:
        """After a refusal.

        By keyboard: its notice moves the page, and a click right after goes to the card's old place.
        """
        await self.pay_button.press("Enter")

    async def buy(self, slug: str, email: str) -> str:
        """Pay for a course as a guest; returns the order number."""
        await self.open_checkout(slug)
        await self.fill_in(email)
        await self.pay_button.click()
        await self.sees("succeeded")
        return await self.order_number()

    async def order_number(self) -> str:
        link = self.page.locator("[data-order-link]").first
        return str(await link.get_attribute("href")).rpartition("/")[2]

    # Watching

    @property
    def player(self) -> FrameLocator:
        return self.page.frame_locator("[data-player] iframe")

    async def play(self) -> float:
        """Press the player's button and see the video move; returns where it began, in seconds."""
        await expect(self.page.locator("[data-player]")).to_have_attribute("data-state", "ready")
        start = await self.position()
        await self.player.locator("[data-big]").click()
        await self.plays_past(start + 1)
        return start

    async def position(self) -> float:
        return float(await self.player.locator("video").evaluate("(video) => video.currentTime"))

    async def plays_past(self, seconds: float) -> None:
        frame = await (await self.page.locator("[data-player] iframe").element_handle()).content_frame()
        assert frame is not None
        await frame.wait_for_function(
            "(seconds) => document.querySelector('video').currentTime >= seconds", arg=seconds
        )

    async def place_kept(self, path: str, seconds: int) -> None:
        """Wait until this watch page would start the video there or later: a closed tab reports late."""

        async def look() -> bool:
            page = await (await self.context.request.get(path)).text()
            start = START.search(page)
            return start is not None and int(start[1]) >= seconds

        await eventually(look)

    # Accounts

    async def follow(self, link: str) -> None:
        """Open a mailed link and press the button that it shows."""
        await self.open(link)
        await self.button("Sign in").click()

    async def sign_up(self, email: str) -> None:
        """Make an account in the way that everybody does: by a link that comes by mail."""
        await self.open("/signup")
        await self.page.get_by_label("E-mail").fill(email)
        await self.button("Send the link").click()
        await expect(self.page.get_by_role("heading", name="Look at your mail")).to_be_visible()
        await self.follow(await self.shop.link_mailed_to(email))
        await self.link("Not now").click()
        await expect(self.page).to_have_url(f"{self.shop.url}/learn")

    async def sign_in(self, email: str, password: str = PASSWORD) -> None:
        await self.open("/login")
        await self.page.locator("[name=email]").fill(email)
        await self.page.locator("[name=password]").fill(password)
        await self.page.locator("[name=password]").press("Enter")
        await expect(self.page).not_to_have_url(re.compile("/login"))

    async def sign_out(self) -> None:
        await self.open("/account")
        await self.page.locator('form[action="/logout"] button').evaluate("button => button.click()")
        await expect(self.page).to_have_url(re.compile("/login"))
