"""What Stripe.js may send with a publishable key: closed types like the SDK's, which has none for it."""

from typing import Literal, NotRequired, TypedDict


class BrowserAddress(TypedDict):
    city: NotRequired[Literal[""] | str]
    country: NotRequired[Literal[""] | str]
    line1: NotRequired[Literal[""] | str]
    line2: NotRequired[Literal[""] | str]
    postal_code: NotRequired[Literal[""] | str]
    state: NotRequired[Literal[""] | str]


class BrowserBillingDetails(TypedDict):
    address: NotRequired[BrowserAddress]
    email: NotRequired[Literal[""] | str]
    name: NotRequired[Literal[""] | str]
    phone: NotRequired[Literal[""] | str]


class BrowserCard(TypedDict):
    number: str
    exp_month: int
    exp_year: int
    cvc: NotRequired[str]


class BrowserPaymentMethodData(TypedDict):
    type: Literal["card", "kakao_pay", "klarna", "paypay"]
    card: NotRequired[BrowserCard]
    billing_details: NotRequired[BrowserBillingDetails]
    allow_redisplay: NotRequired[Literal["always", "limited", "unspecified"]]


class BrowserPaymentMethodParams(BrowserPaymentMethodData):
    key: NotRequired[str]


class BrowserRetrieveParams(TypedDict):
    client_secret: str
    key: NotRequired[str]


class BrowserForm(TypedDict):
    """What a form was opened with that came before its intent. How the real one says it is its own affair."""

    amount: int
    currency: str
    allowed_payment_method_types: NotRequired[list[str]]
    excluded_payment_method_types: NotRequired[list[str]]


class BrowserConfirmParams(TypedDict):
    client_secret: str
    elements: NotRequired[BrowserForm]
    key: NotRequired[str]
    payment_method: NotRequired[str]
    payment_method_data: NotRequired[BrowserPaymentMethodData]
    receipt_email: NotRequired[Literal[""] | str]
    return_url: NotRequired[str]
    use_stripe_sdk: NotRequired[bool]
