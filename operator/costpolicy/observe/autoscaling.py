"""What autoscalers read: signs of load summed over all replicas of a policy.

Of all variants together, because while a change is under way its variants share the traffic: an autoscaler that saw one
variant only would take away replicas that are needed at once when the other is withdrawn.
"""

from collections.abc import Mapping
from typing import Final

from costpolicy.observe.attribution import POLICY, engines, pods
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.exported import Recorded
from costpolicy.observe.scope import Scope
from costpolicy.planning.autoscaling import LoadSignal

RECORDED: Final[Mapping[LoadSignal, Recorded]] = {
    LoadSignal.RUNNING: Recorded.POLICY_REQUESTS_RUNNING,
    LoadSignal.WAITING: Recorded.POLICY_REQUESTS_WAITING,
    LoadSignal.KV_CACHE: Recorded.POLICY_KV_CACHE_USAGE,
}
"""The series of each signal; an adapter of metrics serves them under other names (docs/concepts/autoscaling.md)."""


def load_of_policies(scope: Scope) -> Mapping[Recorded, str]:
    """Return the expressions that the rules record, by name; each is split by ``namespace, policy``.

    Of the data-parallel ranks of a replica the fullest KV cache counts: it is the one that preempts.
    """
    measured = {
        LoadSignal.RUNNING: engines(scope, EngineMetric.RUNNING, _now),
        LoadSignal.WAITING: engines(scope, EngineMetric.WAITING, _now),
        LoadSignal.KV_CACHE: pods(scope, EngineMetric.KV_CACHE_USAGE, _now),
    }
    return {RECORDED[signal]: f"sum {scope.by(*POLICY)} ({each})" for signal, each in measured.items()}


def load_of_policy(scope: Scope, signal: LoadSignal, namespace: str, policy: str) -> str:
    """Return one policy's sum, a single series, from what the rules recorded."""
    recorded = scope.selector(RECORDED[signal], f'namespace="{namespace}"', f'policy="{policy}"')
    return f"sum({recorded})"


def _now(selector: str) -> str:
    return selector
