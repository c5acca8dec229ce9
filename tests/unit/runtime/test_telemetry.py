"""The operator's own metrics.

Covered: outcomes, the fleet's view, gauges asked at scrape time, JSON log lines.  Not covered: Prometheus
reading them.
"""

import json
import logging

from prometheus_client import generate_latest

from costpolicy import __version__
from costpolicy.api.status import CostPolicyStatus
from costpolicy.kube.gateway import EventType
from costpolicy.observe.exported import GPUS
from costpolicy.reconcile.decision import Decision, News
from costpolicy.runtime.logs import JsonFormatter, TextFormatter
from costpolicy.runtime.telemetry import FleetView, Telemetry
from costpolicy.runtime.workers import Outcome

LABELS = ("team-a", "chat", "0123456789", "nvidia-l4", "OnDemand", "ready")


def test_every_outcome_is_exported_before_it_ever_happened() -> None:
    registry = Telemetry().registry

    assert {
        outcome: registry.get_sample_value("costpolicy_reconcile_total", {"result": outcome}) for outcome in Outcome
    } == dict.fromkeys(Outcome, 0.0)


def test_counts_reconciles_requests_and_decisions() -> None:
    telemetry = Telemetry()
    telemetry.reconciled(Outcome.SUCCESS, 0.004)
    telemetry.requested("PATCH", 200)
    telemetry.decided(
        Decision(status=CostPolicyStatus(), news=(News(type=EventType.NORMAL, reason="BetterPlan", note="cheaper"),))
    )
    sample = telemetry.registry.get_sample_value

    assert sample("costpolicy_reconcile_total", {"result": "success"}) == 1.0
    assert sample("costpolicy_reconcile_duration_seconds_bucket", {"le": "0.005"}) == 1.0
    assert sample("costpolicy_api_requests_total", {"method": "PATCH", "code": "200"}) == 1.0
    assert sample("costpolicy_decision_changes_total", {"reason": "BetterPlan"}) == 1.0


def test_what_left_the_fleet_leaves_the_next_scrape() -> None:
    telemetry = Telemetry()
    labels = dict(zip(GPUS.labels, LABELS, strict=True))
    telemetry.export(FleetView(series={GPUS: {LABELS: 2}}))
    assert telemetry.registry.get_sample_value("costpolicy_gpus", labels) == 2.0
    telemetry.export(FleetView())

    assert telemetry.registry.get_sample_value("costpolicy_gpus", labels) is None


def test_the_version_is_exported_without_any_fleet() -> None:
    exposed = generate_latest(Telemetry().registry).decode()

    assert f'costpolicy_build_info{{version="{__version__}"}} 1.0' in exposed


def test_a_gauge_is_asked_at_each_scrape() -> None:
    telemetry = Telemetry()
    depth = [3.0]
    telemetry.measure("costpolicy_workqueue_depth", "Depth.", lambda: depth[0])
    depth[0] = 5.0

    assert telemetry.registry.get_sample_value("costpolicy_workqueue_depth") == 5.0


def record(**extra: object) -> logging.LogRecord:
    logger = logging.getLogger("costpolicy.test")
    return logger.makeRecord(logger.name, logging.INFO, "file", 1, "plan changed", (), None, extra=extra)


def test_a_log_line_is_json_with_its_fields() -> None:
    line = json.loads(JsonFormatter().format(record(policy="team-a/chat", replicas=2)))

    expected = {"level": "info", "message": "plan changed", "policy": "team-a/chat", "replicas": 2}
    assert expected.items() <= line.items()
    assert line["time"].endswith("+00:00")


def test_a_text_line_names_its_fields() -> None:
    assert TextFormatter().format(record(policy="team-a/chat")).endswith("plan changed policy=team-a/chat")
