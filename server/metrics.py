"""Prometheus figures. With several workers prometheus_client sums them over files in one folder.

The folder is named by PROMETHEUS_MULTIPROC_DIR, which `playbill serve` sets before this is imported.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

sessions_open = Gauge("playbill_db_sessions_open", "Database sessions alive", multiprocess_mode="livesum")
connections_checked_out = Gauge(
    "playbill_db_connections_checked_out", "Database connections in use", multiprocess_mode="livesum"
)
http_duration = Histogram(
    "playbill_http_request_duration_seconds", "Time to answer", ["route", "method", "status"]
)
webhook_events = Counter("playbill_webhook_events", "Stripe events received", ["type", "outcome"])
kollus_callbacks = Counter("playbill_kollus_callbacks", "Kollus callbacks answered", ["kind", "outcome"])
lms_reports = Counter("playbill_lms_reports", "Progress reports received", ["outcome"])
lms_odd_fields = Counter(
    "playbill_lms_odd_fields", "Fields of stored progress reports that were not as documented", ["field"]
)
mail_total = Counter("playbill_mail", "Tries to hand a mail to the mail server", ["outcome"])


def exposition(paid_without_access: int) -> bytes:
    """The metrics page; `paid_without_access` is read from the database at the scrape."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        body = generate_latest(registry)
    else:
        body = generate_latest()
    # Not a Gauge: with several workers that would leave its value in a file, and add up in the next scrape.
    return (
        body
        + (
            "# HELP playbill_paid_without_access Paid, unrefunded order items without a grant\n"
            "# TYPE playbill_paid_without_access gauge\n"
            f"playbill_paid_without_access {float(paid_without_access)}\n"
        ).encode()
    )
