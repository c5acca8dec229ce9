"""What engines of any Deployment were asked, whoever wrote it: four questions for the whole cluster.

vLLM's series carry no Deployment.  Its pods are called ``<deployment>-<hash>-<five characters>``, which holds over changes of
the template, so history is that of the Deployment and not of pods that are gone.  Requests are counted at their first token:
of a saturated engine that is what it can do, and not what is asked of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.scope import Scope, promql_duration
from costpolicy.observe.source import MetricsSource, Sample

_POD: Final = "(.+)-[a-z0-9]{1,10}-[a-z0-9]{5}"
_QUANTILE: Final = 0.95
_STEP: Final = timedelta(minutes=5)


class DeploymentName(NamedTuple):
    """Namespace and name."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentLoad:
    """Requests a second (95th percentile over the window) and means of a request's tokens."""

    requests_per_second: float
    prompt_tokens: float
    output_tokens: float
    cached_tokens: float


def deployment_loads(
    source: MetricsSource, scope: Scope, window: timedelta, at: datetime
) -> Mapping[DeploymentName, DeploymentLoad]:
    """Return the load of every Deployment whose engines are scraped and were asked something in the window.

    Raises:
        MetricsUnavailable: a question could not be asked.
    """
    rates = _by_name(source.query(busy_rate(scope, window), at))
    prompts, outputs, hits = (
        _by_name(source.query(expression, at))
        for expression in (
            _ratio(
                scope,
                window,
                f"{EngineMetric.REQUEST_PROMPT_TOKENS}_sum",
                f"{EngineMetric.REQUEST_PROMPT_TOKENS}_count",
            ),
            _ratio(
                scope,
                window,
                f"{EngineMetric.REQUEST_OUTPUT_TOKENS}_sum",
                f"{EngineMetric.REQUEST_OUTPUT_TOKENS}_count",
            ),
            _ratio(scope, window, EngineMetric.PREFIX_HITS, EngineMetric.PREFIX_QUERIES),
        )
    )
    return {
        name: DeploymentLoad(
            requests_per_second=rate,
            prompt_tokens=prompts[name],
            output_tokens=outputs[name],
            cached_tokens=prompts[name] * hits.get(name, 0.0),
        )
        for name, rate in rates.items()
        if name in prompts and name in outputs
    }


def busy_rate(scope: Scope, window: timedelta) -> str:
    """Requests a second that a Deployment's busy times have."""
    rate = _of_deployments(scope, f"{EngineMetric.TTFT}_count", lambda selector: f"rate({selector}[5m])")
    return f"quantile_over_time({_QUANTILE}, ({rate})[{promql_duration(window)}:{promql_duration(_STEP)}])"


def _ratio(scope: Scope, window: timedelta, above: str, below: str) -> str:
    grown = promql_duration(window)
    one, other = (
        _of_deployments(scope, each, lambda selector: f"increase({selector}[{grown}])") for each in (above, below)
    )
    return f"{one} / {other}"


def _of_deployments(scope: Scope, metric: str, measure: Callable[[str], str]) -> str:
    """Return a measure of each engine, whoever scrapes it and how often, added up by Deployment."""
    engines = f"max {scope.by('namespace', 'pod', 'engine')} ({measure(scope.selector(metric))})"
    return f'sum {scope.by("namespace", "deployment")} (label_replace({engines}, "deployment", "$1", "pod", "{_POD}"))'


def _by_name(samples: tuple[Sample, ...]) -> Mapping[DeploymentName, float]:
    return {
        DeploymentName(one.labels.get("namespace", ""), one.labels["deployment"]): one.value
        for one in samples
        if one.labels.get("deployment")
    }
