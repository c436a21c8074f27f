"""HTTP to this machine.

A plain client, and each `httpx.get`, reads all certificate authorities for a TLS that it never speaks: 20 ms
of work, thousands of times in a run.
"""

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def sync_client(**options: Any) -> httpx.Client:
    return httpx.Client(verify=_NO_AUTHORITIES, trust_env=False, **options)


def async_client(**options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=_NO_AUTHORITIES, trust_env=False, **options)


# In place of `httpx.get` and the like. It keeps no connection, because servers come and go between two calls,
# and no cookie, because the next call is somebody else's.
HTTP = sync_client(
    timeout=30,
    limits=httpx.Limits(max_keepalive_connections=0),
    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
)
