"""One pooled set of HTTP connections to the API server, with the official client's set-up and transport.

The generated typed methods of the client are left aside: the operator applies JSON that it rendered itself,
reads lists of thousands of objects of which it needs a few fields, and must never lose a field that the
client's models do not know.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from costpolicy import __version__
from costpolicy.kube.errors import (
    DEFAULT_RETRY,
    Conflict,
    Forbidden,
    GatewayError,
    Gone,
    Invalid,
    Unavailable,
)
from costpolicy.kube.gateway import Json

CONNECT_TIMEOUT: Final = 3.0
READ_TIMEOUT: Final = 10.0
"""Seconds; below ``runtime.lease``'s margin, so that no write of a former leader outlives its lease."""
PAGE_SIZE: Final = 500
"""Objects a page, client-go's own choice: a page of pods stays below a few MiB."""

APPLY_PATCH: Final = "application/apply-patch+yaml"
JSON: Final = "application/json"
METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Asks for an object without its content (Kubernetes documentation, "API concepts")."""

_ERRORS: Final[Mapping[int, type[GatewayError]]] = {
    400: Invalid,
    401: Forbidden,
    403: Forbidden,
    404: Gone,
    405: Gone,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
}


_SCHEMA_VIOLATION: Final = "failed to create typed patch object"
"""How a field unknown to the schema is refused in server-side apply: as an internal error (500), seen with 1.36."""


class RequestObserver(Protocol):
    """Called after every request with its method and status code (0 when there was no answer)."""

    def __call__(self, method: str, code: int) -> None:
        """Take note of one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The items of one collection and the version of the cluster's state that they show."""

    items: tuple[dict[str, Any], ...]
    resource_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What another HTTP client needs to reach the same API server as the same user; empty where not used."""

    server: str
    insecure: bool
    ca_path: str
    certificate_path: str
    private_key_path: str
    authorization: str = field(repr=False)
    """The Authorization header, as ``Bearer ...``."""


def _ignore(method: str, code: int) -> None:
    """Observe nothing."""


class Connection:
    """Sends JSON requests to one API server; safe to share between threads."""

    def __init__(self, api_client: client.ApiClient, observer: RequestObserver = _ignore) -> None:
        self._client = api_client
        self._observer = observer

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Json:
        """Send one request and return the decoded JSON answer.

        Raises:
            GatewayError: as ``kube.errors`` says; the message carries the API server's own words.
        """
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = content_type
        call = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*call, _request_timeout=(CONNECT_TIMEOUT, READ_TIMEOUT))
            content = response.response.data
        except (ApiException, urllib3.exceptions.HTTPError) as problem:
            self._observer(method, 0)
            raise Unavailable(f"the API server does not answer: {_first_line(problem)}") from problem
        self._observer(method, response.status)
        if response.status >= 400:
            raise _error(method, path, response.status, content, response.response.headers.get("Retry-After"))
        return _decode(content)

    def pages(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the pages of a collection, each a List object.

        Raises:
            Gone: the path is not served, or the listing took longer than the API server keeps its snapshot.
        """
        parameters = {**(query or {}), "limit": str(PAGE_SIZE)}
        while True:
            page = self.request("GET", path, query=parameters)
            yield page
            token = page["metadata"].get("continue")
            if not token:
                return
            parameters["continue"] = token

    def credentials(self) -> Credentials:
        """Return the credentials in force now: a service account's token is replaced before it expires."""
        settings = self._client.configuration
        authorization = settings.get_api_key_with_prefix("BearerToken") or settings.get_api_key_with_prefix(
            "authorization"
        )
        return Credentials(
            server=settings.host,
            insecure=not settings.verify_ssl,
            ca_path=settings.ssl_ca_cert or "",
            certificate_path=settings.cert_file or "",
            private_key_path=settings.key_file or "",
            authorization=authorization or "",
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # the generated client has no annotations here


def connect(*, kubeconfig: str | None = None, pool_size: int = 8, observer: RequestObserver = _ignore) -> Connection:
    """Connect with a kubeconfig file if one is named, else as the pod's service account, else as kubectl.

    Raises:
        Unavailable: none of the three yields a configuration.
    """
    settings = client.Configuration()
    try:
        if kubeconfig is not None:
            _load_kubeconfig(settings, kubeconfig)
        else:
            _load_default(settings)
    except config.ConfigException as problem:
        raise Unavailable(f"no way to reach a cluster: {problem}") from problem
    settings.connection_pool_maxsize = pool_size
    # One more try to connect, and nothing else: what reached the server is never repeated here, and Retry-After is
    # the work queue's business (urllib3 would sleep on it in this thread).
    settings.retries = urllib3.Retry(
        total=1, connect=1, read=0, redirect=0, status=0, other=0, respect_retry_after_header=False
    )
    api_client = client.ApiClient(settings)
    api_client.user_agent = f"costpolicy-operator/{__version__}"
    return Connection(api_client, observer)


def _load_default(settings: client.Configuration) -> None:
    try:
        config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
    except config.ConfigException:
        _load_kubeconfig(settings, None)


def _load_kubeconfig(settings: client.Configuration, path: str | None) -> None:
    config.load_kube_config(config_file=path, client_configuration=settings)  # type: ignore[no-untyped-call]


def _error(method: str, path: str, code: int, content: bytes, retry_after: str | None) -> GatewayError:
    try:
        message = str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        message = content[:200].decode(errors="replace") or f"status {code}"
    kind = Invalid if message.startswith(_SCHEMA_VIOLATION) else _ERRORS.get(code)
    if kind is None:
        return Unavailable(f"{method} {path}: {code}: {message}", _seconds(retry_after))
    return kind(message)


def _seconds(retry_after: str | None) -> timedelta:
    if retry_after is None or not retry_after.isdecimal():
        return DEFAULT_RETRY
    return timedelta(seconds=min(int(retry_after), 300))


def _decode(content: bytes) -> Json:
    try:
        return json.loads(content) if content else None
    except ValueError as problem:
        raise Unavailable("the API server answered something that is not JSON") from problem


def _first_line(problem: Exception) -> str:
    return (str(problem).strip() or type(problem).__name__).splitlines()[0][:300]
