"""Autoscalers as JSON: bounds, targets in the API server's own notation, damping, names that the page promises.

Covered: what is rendered.  Not covered: when (tests/unit/reconcile/test_autoscaling.py), KEDA's schema (tests/contract).
"""

import re
from pathlib import Path

import pytest
import yaml

from builders import policy
from costpolicy.manifests.autoscaler import ScalerInputs, horizontal_pod_autoscaler, metric_name, scaled_object
from costpolicy.observe.autoscaling import RECORDED
from costpolicy.planning.autoscaling import LoadSignal

PAGE = Path(__file__).parents[3] / "docs" / "concepts" / "autoscaling.md"
TARGETS = {LoadSignal.RUNNING: 33.0, LoadSignal.WAITING: 0.9, LoadSignal.KV_CACHE: 0.77}


def inputs(**fields) -> ScalerInputs:
    spec = fields.pop("spec", {})
    given = {"policy": policy(**spec), "variant": "0123456789", "bounds": (2, 7), "targets": TARGETS}
    return ScalerInputs(**{**given, **fields})


def test_a_horizontal_pod_autoscaler_scales_the_variant_between_the_bounds_by_sums_over_the_policy():
    item = horizontal_pod_autoscaler(inputs())
    metrics = [one["external"] for one in item["spec"]["metrics"]]

    assert "chat" == item["metadata"]["name"]
    assert {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat-0123456789"} == item["spec"]["scaleTargetRef"]
    assert (2, 7) == (item["spec"]["minReplicas"], item["spec"]["maxReplicas"])
    assert ["costpolicy_requests_running", "costpolicy_requests_waiting", "costpolicy_kv_cache_usage"] == [
        one["metric"]["name"] for one in metrics
    ]
    assert all({"matchLabels": {"policy": "chat"}} == one["metric"]["selector"] for one in metrics)
    assert ["33", "900m", "770m"] == [one["target"]["averageValue"] for one in metrics]
    assert "annotations" not in item["metadata"]


@pytest.mark.parametrize(("asked", "seconds"), [("0s", 0), ("10m", 600), ("4h", 3600)])
def test_stabilization_becomes_behaviour_up_to_what_the_api_server_takes(asked: str, seconds: int):
    spec = {"scaling": {"stabilization": {"scaleDown": asked}}}
    behavior = horizontal_pod_autoscaler(inputs(spec=spec))["spec"]["behavior"]

    assert {"stabilizationWindowSeconds": seconds} == behavior["scaleDown"]
    assert {"stabilizationWindowSeconds": 0} == behavior["scaleUp"]


def test_a_scaled_object_asks_prometheus_for_each_signal_and_takes_silence_for_an_error():
    item = scaled_object(inputs(), "http://prometheus:9090", {signal: f"sum({signal})" for signal in LoadSignal})
    triggers = item["spec"]["triggers"]

    assert ["33", "0.9", "0.77"] == [one["metadata"]["threshold"] for one in triggers]
    assert {"prometheus"} == {one["type"] for one in triggers}
    assert {("http://prometheus:9090", "false")} == {
        (one["metadata"]["serverAddress"], one["metadata"]["ignoreNullValues"]) for one in triggers
    }
    assert (2, 7) == (item["spec"]["minReplicaCount"], item["spec"]["maxReplicaCount"])


def test_a_stopped_scaled_object_is_paused_at_zero_and_keeps_what_is_noted_on_it():
    queries = dict.fromkeys(LoadSignal, "up")
    item = scaled_object(inputs(stopped=True, annotations={"noted": "4"}), "http://prometheus:9090", queries)

    assert {"noted": "4", "autoscaling.keda.sh/paused-replicas": "0"} == item["metadata"]["annotations"]


def test_the_rules_for_an_adapter_on_the_page_make_the_names_that_are_asked_for_of_the_series_that_are_recorded():
    block = re.search(r"```yaml\n(rules:.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    (rule,) = yaml.safe_load(block.group(1))["rules"]["external"]
    matches = re.compile(re.search(r'=~"(.*)"', rule["seriesQuery"])[1])

    assert all(matches.fullmatch(series) for series in RECORDED.values())
    renamed = {
        signal: re.sub(rule["name"]["matches"], rule["name"]["as"].replace("${1}", r"\1"), series)
        for signal, series in RECORDED.items()
    }
    assert {signal: metric_name(signal) for signal in LoadSignal} == renamed
