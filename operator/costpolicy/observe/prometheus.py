"""The one adapter over prometheus-api-client: bounded in time, checked by shape, failures named.

The library (0.7.2) has no timeout unless given one, returns only ``data.result`` (dropping ``warnings``), and
holds a pooled HTTP session.  All of that is dealt with here; nothing else imports it.
"""

import logging
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from costpolicy.api.reasons import Reason
from costpolicy.observe.source import MetricsUnavailable, Sample

RETRIES: Final = 2
"""Further attempts after a failed connection or a 429, 502, 503 or 504; waits of 0, 0.4 s and never what a
server asks."""

_RETENTION_PART: Final = re.compile(r"([0-9]+)(ms|[smhdwy])")
_RETENTION_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_SHOWN: Final = 300
"""Characters of a foreign error text that reach a condition's message."""

_log = logging.getLogger(__name__)


class BearerTokenFile(AuthBase):
    """Sends the token of a file, read anew for each request because kubelet rotates projected tokens."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header.

        Raises:
            MetricsUnavailable: the file cannot be read.
        """
        try:
            token = self._path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise MetricsUnavailable(
                Reason.PROMETHEUS_REFUSED,
                f"cannot read the bearer token: {error}; mount it or change the path",
            ) from error
        request.headers["Authorization"] = f"Bearer {token}"
        return request


class PrometheusSource:
    """Answers PromQL from a Prometheus-compatible HTTP API.  Close it, or use it as a context manager."""

    def __init__(
        self,
        url: str,
        *,
        timeout: timedelta,
        bearer_token_file: Path | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """Prepare a session; nothing is sent yet.

        Args:
            url: base URL, such as ``http://prometheus.monitoring:9090`` (a path prefix is kept).
            timeout: time allowed for connecting, and for each wait for data; also given to Prometheus itself.
            bearer_token_file: file with a token for the ``Authorization`` header.
            ca_file: certificate authorities to trust instead of the system's.

        Raises:
            ValueError: the URL is not an http(s) URL with a host.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{url!r} is not the address of a Prometheus: write http(s)://host[:port][/path]")
        self._url = url.rstrip("/")
        self._seconds = timeout.total_seconds()
        self._session = requests.Session()
        self._session.verify = str(ca_file) if ca_file else True
        self._session.auth = BearerTokenFile(bearer_token_file) if bearer_token_file else None
        self._session.hooks["response"].append(self._judge)
        retry = Retry(
            total=RETRIES,
            read=False,  # a slow query is not made faster by asking again
            backoff_factor=0.2,
            status_forcelist=(429, 502, 503, 504),
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        self._client = PrometheusConnect(url=self._url, session=self._session, retry=retry, timeout=self._seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the pooled connections back."""
        self._client.close()

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        """Evaluate an expression at one time; see :class:`costpolicy.observe.source.MetricsSource`."""
        params = {"time": f"{at.timestamp():.3f}", "timeout": f"{self._seconds:g}s"}
        try:
            result = self._client.custom_query(promql, params=params)
        except (requests.RequestException, PrometheusApiClientException, KeyError, TypeError) as error:
            raise self._translate(error) from error
        return _read(result)

    def retention(self) -> timedelta | None:
        """Return Prometheus' own retention time, from ``/api/v1/status/runtimeinfo``."""
        try:
            response = self._session.get(f"{self._url}/api/v1/status/runtimeinfo", timeout=self._seconds)
            return parse_retention(str(response.json()["data"]["storageRetention"]))
        except MetricsUnavailable as error:
            if error.reason is Reason.PROMETHEUS_REFUSED:
                return None  # the endpoint is Prometheus' own; others answer 404, some proxies 403
            raise
        except (requests.exceptions.JSONDecodeError, KeyError, TypeError):
            return None
        except requests.RequestException as error:
            raise self._translate(error) from error

    def _judge(self, response: requests.Response, *_: object, **__: object) -> None:
        """Look at each response before the library throws away what it says besides the result."""
        if response.is_redirect:
            return
        if response.status_code != requests.codes.ok:
            raise self._refusal(response)
        if b'"warnings"' in response.content:
            self._heed(response.json().get("warnings") or [])

    def _heed(self, warnings: list[str]) -> None:
        """Refuse a partial answer: half an answer looks like falling load.  Remarks on the data are
        logged."""
        for warning in warnings:
            if not warning.startswith("PromQL "):
                raise MetricsUnavailable(Reason.BAD_RESPONSE, f"{self._url} answered only in part: {warning[:_SHOWN]}")
            _log.warning("Prometheus remarks: %s", warning)

    def _refusal(self, response: requests.Response) -> MetricsUnavailable:
        try:
            body = response.json()
            kind, text = str(body.get("errorType", "")), str(body.get("error", ""))
        except (ValueError, AttributeError):
            kind, text = "", response.text
        message = f"{self._url} answered {response.status_code}: {text.strip()[:_SHOWN] or response.reason}"
        match response.status_code, kind:
            case 503 | 422, "timeout":
                return MetricsUnavailable(Reason.PROMETHEUS_TIMEOUT, message)
            case 401 | 403, _:
                return MetricsUnavailable(
                    Reason.PROMETHEUS_REFUSED, f"{message}; give the operator a token that may query"
                )
            case _:
                return MetricsUnavailable(Reason.PROMETHEUS_REFUSED, f"{message}; see Prometheus' own log and limits")

    def _translate(self, error: Exception) -> MetricsUnavailable:
        match error:
            case requests.Timeout():
                return MetricsUnavailable(
                    Reason.PROMETHEUS_TIMEOUT,
                    f"{self._url} did not answer within {self._seconds:g} s; raise prometheus.timeout, or relieve it",
                )
            case requests.exceptions.JSONDecodeError():
                return MetricsUnavailable(
                    Reason.BAD_RESPONSE,
                    f"{self._url} answered something that is not JSON; is it Prometheus, or a login page?",
                )
            case requests.RequestException():
                return MetricsUnavailable(
                    Reason.PROMETHEUS_UNREACHABLE,
                    # What to do comes first: the library's words are long, and a condition's message is clipped.
                    f"cannot reach {self._url}; check prometheus.url, the network policies and that it runs: "
                    f"{str(error)[:_SHOWN]}",
                )
            case _:
                return MetricsUnavailable(
                    Reason.BAD_RESPONSE,
                    f"{self._url} answered JSON that is not Prometheus': {error!r}; is prometheus.url right?",
                )


def _read(result: object) -> tuple[Sample, ...]:
    """Read an instant vector, or the series of a subquery, dropping NaN and infinities.

    Raises:
        MetricsUnavailable: another result type, or one label set twice at one time (two answers for one question).
    """
    if not isinstance(result, list):
        raise _not_a_vector(result)
    seen: set[tuple[frozenset[tuple[str, str]], datetime]] = set()
    samples = []
    for sample in _samples(result):
        key = frozenset(sample.labels.items()), sample.timestamp
        if key in seen:
            raise MetricsUnavailable(Reason.BAD_RESPONSE, f"the answer holds the series {dict(sample.labels)} twice")
        seen.add(key)
        if math.isfinite(sample.value):
            samples.append(sample)
    return tuple(samples)


def _samples(result: list[Any]) -> Iterator[Sample]:
    for element in result:
        match element:
            case {"metric": dict() as labels, "value": [int() | float(), str()] as value}:
                yield _sample(labels, value)
            case {"metric": dict() as labels, "values": list() as values}:
                yield from (_sample(labels, value) for value in values)
            case _:
                raise _not_a_vector(element)


def _sample(labels: dict[str, str], value: object) -> Sample:
    match value:
        case [int() | float() as time, str() as text]:
            try:
                return Sample(labels=labels, value=float(text), timestamp=datetime.fromtimestamp(time, tz=UTC))
            except ValueError:
                raise _not_a_vector(value) from None
        case _:
            raise _not_a_vector(value)


def _not_a_vector(found: object) -> MetricsUnavailable:
    return MetricsUnavailable(Reason.BAD_RESPONSE, f"expected an instant vector, found {str(found)[:_SHOWN]!r}")


def parse_retention(text: str) -> timedelta | None:
    """Read Prometheus' ``storageRetention``: ``15d``, ``1y2w``, ``15d or 10GiB``; a size alone says nothing
    of time."""
    for part in text.split(" or "):
        pieces = _RETENTION_PART.findall(part)
        if pieces and "".join(count + unit for count, unit in pieces) == part.strip():
            return sum((int(count) * _RETENTION_UNITS[unit] for count, unit in pieces), timedelta())
    return None
