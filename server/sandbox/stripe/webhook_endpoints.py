"""Where webhooks go: an address, its own secret, and the event types that it asked for."""

from .config import API_VERSION
from .errors import Fault, Json
from .metadata import merged
from .state import State, new_id, now

KIND = "webhook_endpoint"
EVERYTHING = "*"


def create(state: State, params: Json) -> Json:
    """The new endpoint; this answer alone holds its secret."""
    if params.get("api_version", API_VERSION) != API_VERSION:
        raise Fault.unsupported("api_version", f"events of another version than {API_VERSION}")
    endpoint = _new(_checked_url(params["url"]), new_id("whsec"), params["enabled_events"])
    endpoint["description"] = params.get("description") or None
    endpoint["metadata"] = merged({}, params.get("metadata", {}))
    return dict(state.put(endpoint))


def change(state: State, endpoint: Json, params: Json) -> Json:
    if "url" in params:
        endpoint["url"] = _checked_url(params["url"])
    if "description" in params:
        endpoint["description"] = params["description"] or None
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    endpoint["enabled_events"] = params.get("enabled_events", endpoint["enabled_events"])
    endpoint["metadata"] = merged(endpoint["metadata"], params.get("metadata", {}))
    return shown(state.put(endpoint))


def remove(state: State, endpoint: Json) -> Json:
    state.drop(endpoint)
    return {"id": endpoint["id"], "object": KIND, "deleted": True}


def register(state: State, url: str, secret: str, enabled_events: list[str] | None = None) -> Json:
    """An endpoint whose secret is known beforehand; a known URL gets the new secret and the new types."""
    known = next(iter(state.where(KIND, url=url)), {})
    events = enabled_events or known.get("enabled_events")
    return state.put(_new(url, secret, events or [EVERYTHING]) | {"id": known.get("id", new_id("we"))})


def shown(endpoint: Json) -> Json:
    return {name: value for name, value in endpoint.items() if name != "secret"}


def listening(state: State, kind: str) -> list[Json]:
    """The endpoints that get events of this type."""
    return [one for one in state.all(KIND) if _wants(one, kind)]


def _wants(endpoint: Json, kind: str) -> bool:
    # A file of an older version holds neither of the two.
    events = endpoint.get("enabled_events", [EVERYTHING])
    return endpoint.get("status") != "disabled" and bool({EVERYTHING, kind} & set(events))


def _new(url: str, secret: str, enabled_events: list[str]) -> Json:
    return {
        "id": new_id("we"),
        "object": KIND,
        "api_version": API_VERSION,
        "application": None,
        "created": now(),
        "description": None,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": {},
        "secret": secret,
        "status": "enabled",
        "url": url,
    }


def _checked_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise Fault.parameter("url", "Invalid URL: An explicit scheme (such as https) must be provided.")
    return url
