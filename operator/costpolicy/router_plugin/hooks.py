"""Between LiteLLM's dictionaries and the pipeline: which requests are routed, and how they ended.

What LiteLLM hands over is documented nowhere; what is relied on here is seen by the tests that run it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from .errors import TierError, told
from .exposition import serve
from .garbage import GarbageCollection
from .loading import load
from .pipeline import ATTRIBUTION, Answer, Attribution, Call, Pipeline
from .request import asked_tokens
from .stopping import Stopping

ADMINISTRATOR: Final = "proxy_admin"
CLIENTS_FAULT: Final = range(400, 500)
NOT_THEIRS: Final = frozenset({408, 429})
"""Statuses below 500 that are no fault of the request."""
LONG: Final = 20_000
"""Characters of a request that take some five milliseconds to shorten."""

_Data: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is done at each of LiteLLM's calls; nothing that fails here is in the way of a request."""

    pipeline: Pipeline
    stopping: Stopping
    garbage: GarbageCollection

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the hooks for what lies in a folder, and serve what they count on the port that it names.

        Raises:
            OSError, ValueError: ``routes.json`` cannot be read.
        """
        hooks = cls(load(folder), Stopping(), GarbageCollection())
        hooks._guarded("serve", lambda: serve(hooks.pipeline.routing.metrics_port, hooks.pipeline.series.page))
        hooks._guarded("mark", hooks.stopping.begin)
        return hooks

    def take_over(self) -> None:
        """Do what has to wait for an event loop, once there is one."""
        self._guarded("garbage", self.garbage.take_over)

    def refusal(self, role: object, model: object) -> str:
        """Return why a caller of a role may not have a model; empty: it may.

        Tiers are for the administrator alone; which routes are a tenant's, ``keys.py`` has checked.
        """
        if str(getattr(role, "value", role)) == ADMINISTRATOR:
            return ""
        route = self.pipeline.routing.route_of(model)
        if route is None or route.name == model:
            return ""
        return f"ask for the model {route.name}: its tiers are not for clients"

    def takes_long(self, data: _Data) -> bool:
        """Return whether a request is so long, and to be shortened, that other requests would wait for it."""
        route = self.pipeline.routing.route_of(data.get("model"))
        return route is not None and route.compression is not None and len(str(data.get("messages"))) > LONG

    def before(self, data: _Data) -> None:
        """Change a request before it is sent."""
        self._guarded("request", lambda: self._before(data))

    def answered(self, kwargs: Mapping[str, Any], response: object) -> None:
        """Count an answer."""
        self._guarded("count", lambda: self._answered(kwargs, response))

    def ended(self, data: _Data, error: Exception) -> None:
        """Count a request that no tier answered."""
        self._guarded("count", lambda: self._ended(data, error))

    def error(self, data: _Data, error: Exception) -> TierError | None:
        """Return the error of a route's request as its tier told it; ``None``: it stays as LiteLLM tells it."""
        return told(str(error)) if isinstance(_metadata_of(data).get(ATTRIBUTION), Attribution) else None

    def _guarded(self, step: str, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the trusted tier answers, counted or not
            self.pipeline.failed(step, error)

    def _before(self, data: _Data) -> None:
        route = self.pipeline.routing.routes.get(data["model"])
        if route is None:
            return
        metadata = _metadata_of(data)
        headers = (data.get("proxy_server_request") or {}).get("headers") or {}
        call = Call(
            data=data,
            headers={name.lower(): value for name, value in headers.items()},
            tags=metadata.get("tags") or (),
            identity=str(data.get("litellm_call_id", "")),
            route=route,
            tier=route.trusted,
        )
        metadata[ATTRIBUTION] = self.pipeline.prepare(call)

    def _answered(self, kwargs: Mapping[str, Any], response: object) -> None:
        metadata = _metadata_of(kwargs["litellm_params"])
        attribution = metadata.get(ATTRIBUTION)
        if isinstance(attribution, Attribution):
            self.pipeline.answered(attribution, str(metadata.get("model_group")), _answer(kwargs, response))

    def _ended(self, data: _Data, error: Exception) -> None:
        attribution = _metadata_of(data).get(ATTRIBUTION)
        if isinstance(attribution, Attribution):
            status = getattr(error, "status_code", None)
            is_clients_fault = status in CLIENTS_FAULT and status not in NOT_THEIRS
            self.pipeline.ended(attribution, str(data.get("model")), "refused" if is_clients_fault else "failed")


def _metadata_of(data: _Data) -> _Data:
    """Return the part of a request where LiteLLM keeps what is not sent on, created if there is none."""
    name = "litellm_metadata" if data.get("litellm_metadata") is not None else "metadata"
    if not isinstance(data.get(name), dict):
        data[name] = {}
    found: _Data = data[name]
    return found


def _answer(kwargs: Mapping[str, Any], response: object) -> Answer:
    """Return how a request was answered.

    The response has no choices where LiteLLM has redacted it, as it does of completions: then an answer as long as its
    limit counts as cut.
    """
    log = kwargs["standard_logging_object"]
    details = (log["metadata"].get("usage_object") or {}).get("prompt_tokens_details") or {}
    output = int(log["completion_tokens"] or 0)
    reasons = [getattr(choice, "finish_reason", None) for choice in getattr(response, "choices", None) or ()]
    limit = asked_tokens(kwargs.get("optional_params") or {})
    return Answer(
        prompt=int(log["prompt_tokens"] or 0),
        cached=int(details.get("cached_tokens") or 0),
        output=output,
        was_cut="length" in reasons if reasons else limit is not None and output >= limit,
    )
