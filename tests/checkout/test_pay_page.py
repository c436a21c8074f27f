"""What a buyer reads before anything is charged."""

import re

import httpx
import pytest

from tests.conftest import Site


def words_of(markup: str) -> str:
    without_links = re.sub(r"</?a\b[^>]*>", "", markup)
    return " ".join(re.sub(r"<[^>]+>", " ", without_links).split())


async def checkout_page(shop: Site, language: str) -> str:
    page: httpx.Response = await shop.client().get(f"/checkout/first-night?lang={language}")
    assert page.status_code == 200
    return page.text


@pytest.mark.parametrize(
    ("language", "consent", "names"),
    [
        (
            "en",
            "By paying you accept the terms and the refund policy, and that you can start watching at once.",
            {"/terms": "terms", "/refund-policy": "refund policy"},
        ),
        (
            "ko",
            "결제하면 이용약관과 환불 규정, 그리고 결제 직후 시청이 가능해지는 것에 동의하게 돼요.",
            {"/terms": "이용약관", "/refund-policy": "환불 규정"},
        ),
    ],
)
async def test_beside_the_button_stands_what_paying_consents_to_with_a_link_to_both_texts(
    shop: Site, language: str, consent: str, names: dict[str, str]
) -> None:
    """In a new tab: a typed card is not lost by reading the terms."""
    page = await checkout_page(shop, language)
    beside_the_button = re.search(r"data-pay\b.*?</button>(.*?)</div>", page, re.DOTALL)

    assert beside_the_button
    assert words_of(beside_the_button[1]) == consent
    links = re.findall(r'<a href="([^"]+)" target="_blank">([^<]+)</a>', beside_the_button[1])
    assert dict(links) == names


@pytest.mark.parametrize(
    ("language", "total"), [("en", "Total, tax included $33.00"), ("ko", "합계 (부가세 포함) ₩33,000")]
)
async def test_the_total_is_said_to_include_tax(shop: Site, language: str, total: str) -> None:
    assert total in words_of(await checkout_page(shop, language))


@pytest.mark.parametrize(
    ("language", "price"), [("en", "$33.00 tax included"), ("ko", "₩33,000 부가세 포함")]
)
async def test_the_price_on_the_course_page_is_said_to_include_tax(
    shop: Site, language: str, price: str
) -> None:
    page = await shop.client().get(f"/courses/first-night?lang={language}")

    assert words_of(page.text).count(price) == 2  # on the ticket and at the button that stays in sight
