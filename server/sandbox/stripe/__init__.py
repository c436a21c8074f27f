"""Stand-in of Stripe: its API, its events and webhooks, and (in `browser`) its script and frames."""
