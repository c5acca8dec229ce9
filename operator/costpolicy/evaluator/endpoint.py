"""A deployment as its clients see it: an OpenAI-compatible HTTP API that answers at temperature 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import urllib3
from urllib3.util.retry import Retry

ATTEMPTS: Final = 7
"""The pauses between them are 0, 1, 2, 4, 8 and 16 s: an engine that is out of rotation for half a minute is waited
for."""
TIMEOUT: Final = timedelta(minutes=10)
"""The longest answer may take so long on a loaded engine; then the connection is given up."""

_AGAIN: Final = (408, 425, 429, 500, 502, 503, 504)
_REFUSALS: Final = (400, 413, 422)
"""What vLLM answers to a prompt that it cannot serve, such as one that is longer than its context."""
_SHOWN: Final = 300


class EndpointError(Exception):
    """A deployment gave no answer that could be judged; the message says what to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer.

    Attributes:
        truncated: it ended because it was as long as it may be. prompt_tokens, output_tokens: as counted by the server.
    """

    text: str
    truncated: bool
    prompt_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will not answer this prompt, however often it is asked."""

    message: str


class Endpoint:
    """One server.  It may be asked by several threads at once."""

    def __init__(
        self, url: str, model: str = "", *, connections: int = 1, api_key: str = "", attempts: int = ATTEMPTS
    ) -> None:
        """Prepare a pool of connections; nothing is sent yet.

        Args:
            url: base of the API; ``/v1`` is added where it is missing.
            model: name of the model to ask; empty: the first that the server lists.
            connections: most requests at a time.
            api_key: sent as a bearer token.
            attempts: how often a request is tried.

        Raises:
            ValueError: the URL is none of http or https.
        """
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is not the address of a server: write http(s)://host[:port]")
        trimmed = url.rstrip("/")
        self.url: Final = trimmed if trimmed.endswith("/v1") else f"{trimmed}/v1"
        self._model = model
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        # Asking again is safe: a completion changes nothing on the server.
        retry = Retry(
            total=attempts - 1,
            backoff_factor=0.5,
            status_forcelist=_AGAIN,
            allowed_methods=None,
            redirect=False,
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            block=True,
            headers=headers,
            retries=retry,
            timeout=urllib3.Timeout(connect=10.0, read=TIMEOUT.total_seconds()),
        )

    @property
    def model(self) -> str:
        """Name of the model that is asked.

        Raises:
            EndpointError: the server could not be asked for it.
        """
        if not self._model:
            answer = self._send("GET", "/models", None)
            match answer.json():
                case {"data": [{"id": str() as name}, *_]}:
                    self._model = name
                case _:
                    raise EndpointError(f"{self.url}/models lists no model; is it an OpenAI-compatible server?")
        return self._model

    def ask(self, request: Mapping[str, Any], max_tokens: int) -> Answered | Refused:
        """Ask one prompt.

        Args:
            request: ``messages`` of a chat, or ``prompt`` to be continued.
            max_tokens: longest answer.

        Raises:
            EndpointError: there was no answer after all attempts, or none that can be read.
        """
        body = {"model": self.model, "temperature": 0, "seed": 0, "max_tokens": max_tokens, **request}
        response = self._send("POST", "/chat/completions" if "messages" in request else "/completions", body)
        if response.status in _REFUSALS:
            return Refused(message=_shown(response))
        try:
            return _read(response.json())
        except ValueError as error:
            raise EndpointError(f"{self.url} answered something that is no completion: {error}") from None

    def _send(self, method: str, path: str, body: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401 - JSON
        try:
            response = self._pool.request(method, f"{self.url}{path}", **({} if body is None else {"json": body}))
        except urllib3.exceptions.HTTPError as error:
            raise EndpointError(f"{self.url}{path} did not answer: {str(error)[:_SHOWN]}") from error
        if response.status == 200 or response.status in _REFUSALS:
            return response
        hint = "; check the address, the name of the model and the key" if response.status in (401, 403, 404) else ""
        raise EndpointError(f"{self.url}{path} answered {response.status}: {_shown(response)}{hint}")


def _read(document: Any) -> Answered:  # noqa: ANN401 - any JSON value
    """Read a chat or a completion; content is null where all of the answer was reasoning.

    Raises:
        ValueError: it is neither.
    """
    match document:
        case {"choices": [{"message": {"content": str() | None as text}} as choice, *_]}:
            pass
        case {"choices": [{"text": str() as text} as choice, *_]}:
            pass
        case _:
            raise ValueError(str(document)[:_SHOWN])
    usage = document.get("usage") or {}
    return Answered(
        text=text or "",
        truncated=choice.get("finish_reason") == "length",
        prompt_tokens=int(usage.get("prompt_tokens", 0)),
        output_tokens=int(usage.get("completion_tokens", 0)),
    )


def _shown(response: urllib3.BaseHTTPResponse) -> str:
    return response.data.decode(errors="replace").strip()[:_SHOWN] or str(response.reason)
