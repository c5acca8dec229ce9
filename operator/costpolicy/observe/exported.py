"""What the operator exports and what the chart's rules record: names and labels, once, for telemetry, queries
and rules.

The operator's target must be scraped with ``honorLabels: true`` (as kube-state-metrics is), because
``namespace`` and ``pod`` name what is measured and not the operator itself.  Where that was forgotten
Prometheus keeps them as ``exported_namespace`` and ``exported_pod``; the queries read both.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedGauge:
    """One gauge of the operator: name, help text, labels in order."""

    name: str
    help: str
    labels: tuple[str, ...]


class AcceleratorState(StrEnum):
    """What a paid accelerator is doing.  All four cost the same."""

    READY = "ready"
    """Its pod is ready and selected by a Service."""
    STARTING = "starting"
    """Its pod is scheduled and not ready yet: image, weights, warm-up."""
    IDLE = "idle"
    """Held by a ready pod that no Service selects."""
    STOPPING = "stopping"
    """Its pod is terminating."""


POD_INFO: Final = ExportedGauge(
    name="costpolicy_pod_info",
    help="Always 1: the policy and variant that an engine pod belongs to.",
    labels=("namespace", "pod", "policy", "variant"),
)
GPUS: Final = ExportedGauge(
    name="costpolicy_gpus",
    help="Accelerators that a variant's pods hold, by what they are doing.",
    labels=("namespace", "policy", "variant", "accelerator", "capacity_type", "state"),
)
PRICE_PER_HOUR: Final = ExportedGauge(
    name="costpolicy_price_per_hour",
    help="Price in force of one accelerator of a variant, per hour, in units of the currency.",
    labels=("namespace", "policy", "variant", "accelerator", "capacity_type", "currency"),
)
PROPOSER_INFO: Final = ExportedGauge(
    name="costpolicy_proposer_info",
    help="Always 1: who proposes tokens in a variant with speculative decoding.",
    labels=("namespace", "policy", "variant", "proposer"),
)
VARIANT_INFO: Final = ExportedGauge(
    name="costpolicy_variant_info",
    help="Always 1: the accelerators, weights and formats of a variant; variants that differ in settings alone agree in it.",
    labels=("namespace", "policy", "variant", "kernels"),
)
BUILD_INFO: Final = ExportedGauge(
    name="costpolicy_build_info",
    help="Always 1: the version of the operator.",
    labels=("version",),
)
UNMET_CONDITION: Final = ExportedGauge(
    name="costpolicy_unmet_condition",
    help="Always 1: a promise of a policy (budget, objectives, quality, metrics) whose condition is False, and why.",
    labels=("namespace", "policy", "condition", "reason"),
)
BUDGET: Final = ExportedGauge(
    name="costpolicy_budget",
    help="Budget of a policy, of an hour or of a calendar month, in units of the currency.",
    labels=("namespace", "policy", "currency", "period"),
)
MONTH_SPENT: Final = ExportedGauge(
    name="costpolicy_month_spent",
    help="What a policy's accelerators have cost since the month began (UTC), in units of the currency; gaps cost nothing.",
    labels=("namespace", "policy", "currency"),
)
MONTH_FORECAST: Final = ExportedGauge(
    name="costpolicy_month_forecast",
    help="What the month will have cost, in three digits; only of policies with a monthly budget.",
    labels=("namespace", "policy", "currency"),
)
SAVED_PER_HOUR: Final = ExportedGauge(
    name="costpolicy_saved_per_hour",
    help="What the last change of a policy saves an hour: allocated (price x accelerators), and realised (left the bill).",
    labels=("namespace", "policy", "currency", "basis"),
)
OBJECTIVE: Final = ExportedGauge(
    name="costpolicy_objective_seconds",
    help="Latency that a policy promises at the 95th percentile.",
    labels=("namespace", "policy", "objective"),
)
TOKEN_PRICE: Final = ExportedGauge(
    name="costpolicy_token_price_per_million",
    help="Price in force of a million tokens (kind: prompt, cached or output) of a tier that others serve, in units of the currency.",
    labels=("namespace", "route", "tier", "kind", "currency"),
)
ROUTE_PROOF: Final = ExportedGauge(
    name="costpolicy_route_proof",
    help="Always 1: what the proof of a tier (tier/NAME) or of compression is worth today: Proven, or why nothing.",
    labels=("namespace", "route", "proof", "verdict"),
)

EXPORTED: Final = (
    POD_INFO,
    GPUS,
    PRICE_PER_HOUR,
    PROPOSER_INFO,
    VARIANT_INFO,
    UNMET_CONDITION,
    BUDGET,
    MONTH_SPENT,
    MONTH_FORECAST,
    SAVED_PER_HOUR,
    OBJECTIVE,
    TOKEN_PRICE,
    ROUTE_PROOF,
    BUILD_INFO,
)


class Recorded(StrEnum):
    """Series that the chart's recording rules write; ``level:metric:operation`` as Prometheus' own practice
    names them."""

    REQUESTS_OFFERED = "costpolicy_variant:requests_offered:rate5m"
    REQUESTS_FINISHED = "costpolicy_variant:requests_finished:rate5m"
    PROMPT_TOKENS = "costpolicy_variant:prompt_tokens:rate5m"
    COMPUTED_PROMPT_TOKENS = "costpolicy_variant:computed_prompt_tokens:rate5m"
    GENERATED_TOKENS = "costpolicy_variant:generated_tokens:rate5m"
    TTFT_P50 = "costpolicy_variant:ttft_seconds:p50_5m"
    TTFT_P95 = "costpolicy_variant:ttft_seconds:p95_5m"
    INTER_TOKEN_P95 = "costpolicy_variant:inter_token_latency_seconds:p95_5m"  # noqa: S105 - a metric, not a secret
    LOAD_AND_LATENCY = "costpolicy_variant:load_and_latency:mean1h"
    """An hour of a variant, by ``figure`` (:class:`costpolicy.observe.window.WindowFigure`)."""
    SATURATED_REQUESTS = "costpolicy_variant:saturated_requests:rate5m"
    """A replica's first tokens per second, only while it is saturated; with the label ``kernels``."""
    SATURATED_SHAPE = "costpolicy_variant:saturated_shape:mean5m"
    """What requests are like meanwhile, by ``figure`` (:class:`costpolicy.observe.saturation.SaturationFigure`)."""
    ACCELERATORS = "costpolicy_variant:accelerators:sum"
    COST_PER_HOUR = "costpolicy_variant:cost_per_hour:sum"
    OFFERING_ACCELERATORS = "costpolicy_variant:accelerators_by_offering:sum"
    """Accelerators held, by accelerator, capacity type and state."""
    OFFERING_COST_PER_HOUR = "costpolicy_variant:cost_per_hour_by_offering:sum"
    """What those cost at the price in force, by currency as well."""
    LEDGER = "costpolicy_variant:ledger:hour"
    """What an hour cost and served, by ``figure`` (:class:`costpolicy.observe.ledger.LedgerFigure`)."""
    POLICY_REQUESTS_OFFERED = "costpolicy_policy:requests_offered:rate5m"
    POLICY_COST_PER_HOUR = "costpolicy_policy:cost_per_hour:sum"
    POLICY_REQUESTS_RUNNING = "costpolicy_policy:requests_running:sum"
    POLICY_REQUESTS_WAITING = "costpolicy_policy:requests_waiting:sum"
    POLICY_KV_CACHE_USAGE = "costpolicy_policy:kv_cache_usage:sum"
    REQUEST_SHAPE = "costpolicy_policy:request_shape:mean1h"
    """Tokens of an hour's requests, by ``figure`` (:class:`costpolicy.observe.shapes.ShapeFigure`)."""
    UNIT_COST = "costpolicy_policy:unit_cost:hour"
    """What an hour cost ``per`` something (:class:`costpolicy.observe.ledger.Per`), by currency."""
    POLICY_COST = "costpolicy_policy:cost:hour"
    """What the past hour cost a policy, by currency."""
    USUAL_COST = "costpolicy_policy:usual_cost:hour"
    """What this hour of the day usually costs it: the greater of the median of seven days and of the same hour a week ago."""
    FEATURE_COST = "costpolicy_policy:feature_cost:hour"
    """What of that went to each feature of an application, as far as routers saw it, by currency."""
    BOUGHT_COST = "costpolicy_route:bought_cost:hour"
    """What tokens cost that others served in the past hour, by route, tier, feature and currency."""
    OPERATORS_SEEN = "costpolicy:operators_seen:hour"
    """Share of the past hour in which it is known what was held: of the rest no cost is known."""
    HOLDINGS_KNOWN = "costpolicy:holdings_known:count"
    """Operators seen, or 0 while kube-state-metrics tells what is held and no operator is."""
    OPERATORS = "costpolicy:operators:count"
    """Operators seen when the rules were last evaluated: proves that the rules are loaded."""
