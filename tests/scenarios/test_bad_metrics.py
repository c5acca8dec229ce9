"""Metrics that are absent, refused, late, empty or too short: it is told, with what to do, and nothing shrinks.

Covered: the condition, and what runs.  Not covered: which answer of a real Prometheus is which failure, and the words
for it (tests/contract/observe/test_prometheus_adapter.py); single answers that are missing (tests/faults).
"""

from datetime import timedelta
from typing import Any

import pytest

from costpolicy.api.reasons import Reason
from costpolicy.observe.fleet import ObserveSettings
from costpolicy.observe.questions import QUESTIONS
from costpolicy.observe.source import MetricsSource, MetricsUnavailable, Sample
from costpolicy.reconcile.fleet import FleetWatch
from costpolicy.reconcile.reconciler import Defaults, Reconciler
from costpolicy.simulation.traffic import Constant
from costpolicy.simulation.world import World
from faulty import Deaf
from stories import MINUTE, QUARTER, conditions, message, runs_on, serving

SETTINGS = ObserveSettings()


class Short(Deaf):
    """A Prometheus that forgets within the hour."""

    def retention(self) -> timedelta | None:
        return timedelta(hours=1)


class Failing:
    """A Prometheus that cannot be asked; what is said of it is the adapter's (tests/contract/observe)."""

    def __init__(self, reason: Reason) -> None:
        self._error = MetricsUnavailable(reason, "what happened; what to do")

    def query(self, promql: str, at: Any) -> tuple[Sample, ...]:
        raise self._error

    def retention(self) -> timedelta | None:
        raise self._error


class WithoutRules(Deaf):
    """A Prometheus into which the chart's rules are not loaded."""

    def query(self, promql: str, at: Any) -> tuple[Sample, ...]:
        found = super().query(promql, at)
        return tuple(sample for sample in found if sample.labels.get("fact") != "rules")


def looking_at(made: World, metrics: MetricsSource | None) -> World:
    watch = FleetWatch(made.gateway, metrics, made.clock, SETTINGS)
    made._reconciler = Reconciler(made.gateway, watch, made.clock, Defaults())
    return made


def _empty(made: World) -> MetricsSource:
    installation = QUESTIONS["installation"](SETTINGS.scope())
    return Deaf(made.metrics, lambda asked: asked != installation)


@pytest.mark.parametrize(
    ("source", "reason", "says"),
    [
        (lambda made: None, "PrometheusUnreachable", "set prometheus.url in the chart"),
        (lambda made: Failing(Reason.PROMETHEUS_UNREACHABLE), "PrometheusUnreachable", "what to do"),
        (lambda made: Failing(Reason.PROMETHEUS_REFUSED), "PrometheusRefused", "what to do"),
        (lambda made: Failing(Reason.PROMETHEUS_TIMEOUT), "PrometheusTimeout", "what to do"),
        (lambda made: Failing(Reason.BAD_RESPONSE), "BadResponse", "what to do"),
        (_empty, "NoSamples", "are its pods scraped, and do the matchers fit?"),
        (
            lambda made: WithoutRules(made.metrics, lambda _: False),
            "RulesMissing",
            "have it load them (rules in the chart's values)",
        ),
        (lambda made: Short(made.metrics, lambda _: False), "RetentionTooShort", "keep 336h, or shorten"),
    ],
)
def test_metrics_that_are_not_enough_are_told_and_nothing_shrinks(source, reason: str, says: str):
    made = serving(Constant(12.0))
    made.run(QUARTER)
    before = runs_on(made)
    looking_at(made, source(made))
    made.run(10 * MINUTE)

    assert ("False", reason) == conditions(made)["MetricsAvailable"]
    assert says in message(made, "MetricsAvailable")
    assert before == runs_on(made)
    assert ("True", "Serving") == conditions(made)["Ready"]
