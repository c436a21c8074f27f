"""The demo's past: what belongs to an old order is as old as the order."""

from datetime import timedelta
from typing import TypeVar

import pytest_asyncio
from sqlalchemy import ColumnElement, select

from server.access.models import Grant
from server.checkout.models import Order, OrderItem, Payment, Refund
from server.clock import now
from server.database.base import Base
from server.database.session import current_session
from server.demo import people, seed
from server.i18n import format_moment, in_locale
from server.mail.models import Mail, MailState
from tests.conftest import Sandbox, Site

Row = TypeVar("Row", bound=Base)
A_MOMENT = timedelta(minutes=5)


@pytest_asyncio.fixture(autouse=True)
async def shop(site: Site, session: None) -> None:
    await seed.seed_catalog()
    await people.seed_people()
    await seed.seed_orders()


async def all_of(model: type[Row], *conditions: ColumnElement[bool]) -> list[Row]:
    return list((await current_session().scalars(select(model).where(*conditions))).all())


async def test_payment_access_refund_and_mails_are_of_the_days_of_the_order(sandbox: Sandbox) -> None:
    received = "\n".join(mail["text"] for mail in sandbox.messages())
    orders = sorted(await all_of(Order), key=lambda order: order.created_at)
    assert len(orders) == len(seed.PAST_ORDERS)
    for order, past in zip(orders, seed.PAST_ORDERS, strict=True):
        age = timedelta(days=past.days_ago)
        (item,) = await all_of(OrderItem, OrderItem.order_id == order.id)
        (payment,) = await all_of(Payment, Payment.order_id == order.id)
        (grant,) = await all_of(Grant, Grant.order_item_id == item.id)
        (receipt,) = await all_of(Mail, Mail.once_key == f"receipt:{order.id}")
        refunds = await all_of(Refund, Refund.order_id == order.id)
        told = await all_of(Mail, Mail.once_key.startswith(f"refund:{order.id}:"))

        assert order.paid_at is not None
        bought = [order.created_at, order.paid_at, payment.created_at, grant.created_at, grant.starts_at]
        bought += [receipt.created_at, receipt.sent_at or now()]
        assert all(abs(now() - age - at) < A_MOMENT for at in bought), (past, bought)
        with in_locale(past.locale):
            assert format_moment(order.paid_at) in received
        assert (len(refunds), len(told)) == (past.refunded, past.refunded)
        given_back = [at for mail in told for at in (mail.created_at, mail.sent_at or now())]
        given_back += [refund.created_at for refund in refunds]
        given_back += [payment.looked_at, grant.updated_at] if past.refunded else []
        assert all(abs(now() - age / 2 - at) < A_MOMENT for at in given_back), (past, given_back)
        assert {mail.state for mail in [receipt, *told]} == {MailState.SENT}
