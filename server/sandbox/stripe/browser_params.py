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
    type: Literal["card"]
    card: BrowserCard
    billing_details: NotRequired[BrowserBillingDetails]
    allow_redisplay: NotRequired[Literal["always", "limited", "unspecified"]]


class BrowserPaymentMethodParams(BrowserPaymentMethodData):
    key: NotRequired[str]


class BrowserRetrieveParams(TypedDict):
    client_secret: str
    key: NotRequired[str]


class BrowserConfirmParams(TypedDict):
    client_secret: str
    key: NotRequired[str]
    payment_method: NotRequired[str]
    payment_method_data: NotRequired[BrowserPaymentMethodData]
    receipt_email: NotRequired[Literal[""] | str]
    return_url: NotRequired[str]
    use_stripe_sdk: NotRequired[bool]
