"""The ways in which applications keep connections."""

from dataclasses import dataclass

import httpx
from openai import DEFAULT_MAX_RETRIES, AsyncOpenAI, DefaultAsyncHttpxClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way of using the OpenAI SDK."""

    name: str
    keeps_connections: bool
    retries: int

    def client(self, url: str, key: str = "none") -> AsyncOpenAI:
        """Return a client that asks in this way; apart from it and from patience, everything is as the SDK has it."""
        transport = None if self.keeps_connections else DefaultAsyncHttpxClient(limits=_NONE_KEPT, timeout=_PATIENCE)
        return AsyncOpenAI(
            base_url=url, api_key=key, max_retries=self.retries, timeout=_PATIENCE, http_client=transport
        )


_PATIENCE = 600.0
"""Seconds for everything, connecting too: a machine that runs a cluster and two engines may be slow, and still lose nothing."""
_NONE_KEPT = httpx.Limits(max_keepalive_connections=0)
KEPT = Way(name="kept connections", keeps_connections=True, retries=0)
WAYS = (
    Way(name="one connection a request", keeps_connections=False, retries=0),
    KEPT,
    Way(name="kept connections and retries", keeps_connections=True, retries=DEFAULT_MAX_RETRIES),
)
