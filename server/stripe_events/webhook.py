"""Stripe's webhook: verify the received bytes, take only ids from them, have the event handled."""

import logging

from sanic import Blueprint, HTTPResponse, Request
from sanic import response as sanic_response

from server import metrics
from server.database.outage import is_outage
from server.errors import PlaybillError
from server.integrations.gateways import gateways
from server.integrations.stripe_events import WebhookRejected
from server.stripe_events import service as stripe_events
from server.web.audience import Audience, audience

bp = Blueprint("stripe_webhook")

log = logging.getLogger("playbill.stripe")


@bp.post("/webhooks/stripe")
@audience(Audience.MACHINE)
async def receive(request: Request) -> HTTPResponse:
    """200: handled, known, or not ours. 400: not Stripe's, or of the wrong mode. 500: let it come again."""
    try:
        event = gateways().stripe.verify_event(request.body, request.headers.get("stripe-signature"))
    except WebhookRejected:
        metrics.webhook_events.labels("unknown", "rejected").inc()
        raise
    kind = event.type if event.type in stripe_events.types() else "other"
    if event.livemode is not gateways().stripe.livemode:
        metrics.webhook_events.labels(kind, "wrong_mode").inc()
        raise WebhookRejected
    try:
        outcome = await stripe_events.take(event)
    except Exception as error:
        metrics.webhook_events.labels(kind, "failed").inc()
        if not isinstance(error, PlaybillError) and not is_outage(error):
            log.exception("event %s (%s) failed", event.id, event.type)
        else:
            log.warning("event %s (%s) must come again: %r", event.id, event.type, error)
        return sanic_response.json({"error": {"code": "try_again", "message": "not settled"}}, status=500)
    metrics.webhook_events.labels(kind, outcome.value).inc()
    return sanic_response.json({"outcome": outcome.value})
