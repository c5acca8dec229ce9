"""A real Prometheus scrapes: the stand-in's page, the operator's page, pods that vanish; the chart's rules
evaluate.

Covered: the stand-in over HTTP, staleness after a failed scrape, one pod scraped by two jobs, honorLabels set
and forgotten, the recording rules running and read back, rules that are not loaded.
Not covered: numbers of the queries (test_fleet_queries) and of the rules (test_recording_rules).
"""

import io
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.observe.fleet import FleetObservations, ObserveSettings, observe_fleet
from costpolicy.observe.source import Missing
from costpolicy.reconcile.replans import traffic_of
from costpolicy.units import Money
from playing import Cycles
from scraping import Pages, Server, config, job
from staging import Stage
from standin.server import StandIn

RULES = Path(__file__).parents[3] / "charts" / "costpolicy-operator" / "files" / "recording-rules.yaml"
EXAMPLE = CostPolicy.model_validate(
    yaml.safe_load((Path(__file__).parents[3] / "examples" / "chat-8b.yaml").read_text())
)
"""What the demo plans and puts this load on."""
SETTINGS = ObserveSettings(rate_window=timedelta(seconds=6), shape_window=timedelta(seconds=6))
HELD = 'namespace="demo",policy="chat",variant="aaa",accelerator="nvidia-l40s",capacity_type="OnDemand"'
OPERATOR = f"""\
costpolicy_build_info{{version="0.1.0"}} 1
costpolicy_pod_info{{namespace="demo",pod="chat-9",policy="chat",variant="bbb"}} 1
costpolicy_gpus{{{HELD},state="ready"}} 2
costpolicy_price_per_hour{{{HELD},currency="USD"}} 0.79
"""
BARE = """\
vllm:num_requests_running{engine="0",model_name="m"} 3
vllm:num_requests_waiting{engine="0",model_name="m"} 2
"""


def look(server: Server) -> FleetObservations:
    with server.source() as source:
        return observe_fleet(source, datetime.now(tz=UTC), SETTINGS)


def eventually(server: Server, holds: Callable[[FleetObservations], bool]) -> FleetObservations:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        fleet = look(server)
        if holds(fleet):
            return fleet
        time.sleep(0.3)
    raise AssertionError(fleet)


def audited_soon(server: Server) -> dict[str, Any]:
    """What the command says of the only model, once Prometheus holds samples of it that are not stale."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        out, err = io.StringIO(), io.StringIO()
        given = ("audit", "--prometheus", server.url, "--window", "6s", "-o", "json")
        if main(given, Console(out=out, err=err)) == 0:
            [model] = json.loads(out.getvalue())["models"]
            return model
        time.sleep(0.3)
    raise AssertionError(err.getvalue())


@pytest.fixture
def standin() -> Iterator[str]:
    with StandIn(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def post(address: str, path: str, **body: object) -> None:
    request = urllib.request.Request(f"http://{address}{path}", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=5) as reply:  # noqa: S310 - loopback
        assert reply.status == 200


def test_the_stand_in_is_observed_as_its_load_says(standin: str, scraping: Callable[[str], Server]) -> None:
    chat = {"namespace": "demo", "policy": "chat"}
    post(standin, "/pods", **chat, variant="aaa", pods=["chat-1", "chat-2"], engine={"kvTokens": 300_000})
    post(standin, "/load", **chat, requestsPerSecond=40, promptTokens=300, outputTokens=20)
    server = scraping(config(job("engines", standin, honor=True)))
    fleet = eventually(server, lambda seen: not isinstance(seen.of("demo", "chat").ttft_p95, Missing))
    fleet = eventually(server, lambda seen: 25 < (seen.of("demo", "chat").requests_per_second or 0) < 55)
    policy = fleet.of("demo", "chat")
    assert pytest.approx(300) == policy.prompt_tokens
    assert pytest.approx(20) == policy.output_tokens
    assert policy.pods_up == 2
    assert policy.variants[0].kv_cache_size_tokens == 300_000
    assert policy.fresh
    # Every answer of the stand-in ends at its limit, and somebody waits for each.
    traffic = traffic_of(policy)
    assert pytest.approx((20, 1)) == (traffic.limit, traffic.cut_share)
    assert 10 < traffic.long_answer <= 20
    assert 0.05 > traffic.abandoned
    unknown = [
        row.technique
        for row in Cycles(Stage(EXAMPLE, observed=policy)).until_whole().playbook
        if row.state == "Unknown"
    ]
    assert len(unknown) <= 3, unknown
    audited = audited_soon(server)
    assert "demo" == audited["namespace"]
    assert [] == audited["findings"]
    assert {"abandoned-generation", "max-tokens"} <= set(audited["healthy"])
    post(standin, "/load", **chat, requestsPerSecond=1000, promptTokens=300, outputTokens=20)
    flooded = eventually(server, lambda seen: (seen.of("demo", "chat").requests_per_second or 0) > 600)
    assert flooded.of("demo", "chat").waiting > 100


def test_the_stand_in_says_what_is_wrong_with_a_request(standin: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        post(standin, "/pods", namespace="demo")
    assert raised.value.code == 400
    raised.value.close()


def test_a_pod_that_stops_answering_is_gone_at_the_next_scrape(pages: Pages, scraping: Callable[[str], Server]) -> None:
    labels = "{namespace: demo, pod: chat-9, costpolicy: chat, variant: bbb}"
    pages.texts["/metrics"] = BARE
    server = scraping(config(job("engines", pages.url, labels=labels)))
    policy = eventually(server, lambda seen: seen.of("demo", "chat").fresh).of("demo", "chat")
    assert (policy.running, policy.waiting, policy.pods_up) == (3, 2, 1)
    del pages.texts["/metrics"]
    gone = eventually(server, lambda seen: not seen.of("demo", "chat").fresh).of("demo", "chat")
    assert isinstance(gone.waiting, Missing)
    assert gone.waiting.reason == Reason.NO_SAMPLES
    assert gone.pods_up == 0


@pytest.mark.parametrize("honor", [True, False])
def test_the_operators_labels_survive_with_and_without_honor_labels(
    pages: Pages, scraping: Callable[[str], Server], honor: bool
) -> None:
    pages.texts["/metrics"] = BARE
    pages.texts["/operator"] = OPERATOR
    server = scraping(
        config(
            job("pods", pages.url, labels="{namespace: demo, pod: chat-9}"),
            job("again", pages.url, labels="{namespace: demo, pod: chat-9, endpoint: http}"),
            job("operator", pages.url, "/operator", honor=honor, labels="{namespace: ops, pod: operator-0}"),
        )
    )
    fleet = eventually(server, lambda seen: len(seen.of("demo", "chat").variants) == 2 and seen.operator_scraped)
    priced, joined = fleet.of("demo", "chat").variants
    assert (joined.running, joined.waiting, joined.pods_up) == (3, 2, 1)
    assert Money.parse("1.58") == priced.cost_per_hour
    assert not fleet.rules_loaded
    span = fleet.of("demo", "chat").span
    assert isinstance(span, Missing)
    assert "recording rules are not loaded" in span.message


def _history(fleet: FleetObservations) -> float:
    figure = fleet.of("demo", "chat").requests_per_second_p95
    return 0.0 if isinstance(figure, Missing) else figure


def test_the_charts_rules_run_and_are_read_back(
    standin: str, pages: Pages, scraping: Callable[[str], Server], tmp_path: Path
) -> None:
    chat = {"namespace": "demo", "policy": "chat"}
    post(standin, "/pods", **chat, variant="aaa", pods=["chat-1"])
    post(standin, "/load", **chat, requestsPerSecond=10, promptTokens=300, outputTokens=20)
    pages.texts["/operator"] = OPERATOR
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for group in rules["groups"]:
        group["interval"] = "500ms"
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    server = scraping(
        config(
            job("engines", standin, honor=True),
            job("operator", pages.url, "/operator", honor=True),
            rules=tmp_path / "rules.yaml",
        )
    )
    # The rules' rates look back five minutes, of which a few seconds exist: 10 requests a second read as less.
    fleet = eventually(server, lambda seen: _history(seen) > 0.1)
    policy = fleet.of("demo", "chat")
    assert fleet.rules_loaded
    assert isinstance(policy.span, timedelta)
    assert policy.span < timedelta(minutes=1)
    [sample] = server.until('costpolicy_policy:cost_per_hour:sum{namespace="demo",policy="chat",currency="USD"}')
    assert sample["value"][1] == "1.58"
