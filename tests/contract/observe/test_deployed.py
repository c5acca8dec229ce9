"""What engines of any Deployment were asked, read from a real Prometheus.

Covered: pods that come and go, jobs that scrape twice, what is no Deployment's pod, what was never asked anything, and
``scan`` with it.  Not covered: engines that are saturated, of which the counters show what they can do.
"""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from builders import price_book_document
from contract.observe.tapes import BEGIN, END, HOUR, Tape, ramp
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.observe.deployed import DeploymentName, deployment_loads
from costpolicy.observe.scope import Scope
from foreign import container, deployment

AT = datetime.fromtimestamp(END, UTC)
WINDOW = timedelta(hours=1)
HALF = BEGIN + HOUR // 2


def engine(tape: Tape, pod: str, *, rate: float, first: int = BEGIN, last: int = END, **labels: str) -> None:
    """Requests of 800 + 200 tokens at a rate, a quarter of the prompts found in the cache."""
    seconds = last - first
    counts = {
        "vllm:time_to_first_token_seconds_count": 1,
        "vllm:request_prompt_tokens_count": 1,
        "vllm:request_prompt_tokens_sum": 800,
        "vllm:request_generation_tokens_count": 1,
        "vllm:request_generation_tokens_sum": 200,
        "vllm:prefix_cache_queries_total": 800,
        "vllm:prefix_cache_hits_total": 200,
    }
    target = {"namespace": "prod", "pod": pod, "engine": "0", "model_name": "m", **labels}
    for name, each in counts.items():
        tape.add(name, target, ramp(0.0, rate * seconds * each, first=first, last=last))


@pytest.fixture(scope="module")
def server(backfilled):
    tape = Tape()
    for job in ("one", "two"):
        engine(tape, "llama-7d9f8b6c54-abcde", rate=2.0, job=job)
    engine(tape, "llama-7d9f8b6c54-fghij", rate=1.0, last=HALF)
    engine(tape, "llama-5c6d7f8b9c-klmno", rate=1.0, first=HALF)
    engine(tape, "llama-big-7d9f8b6c54-pqrst", rate=7.0)
    engine(tape, "idle-7d9f8b6c54-uvwxy", rate=0.0)
    engine(tape, "alone", rate=9.0)
    engine(tape, "llama-7d9f8b6c54-other", rate=30.0, namespace="dev")
    return backfilled(tape)


def test_each_deployment_has_the_load_of_all_its_pods_whoever_scrapes_them(server):
    with server.source() as source:
        loads = deployment_loads(source, Scope(), WINDOW, AT)

    assert {("prod", "llama"), ("prod", "llama-big"), ("dev", "llama")} == set(loads)
    llama = loads[DeploymentName("prod", "llama")]
    assert pytest.approx(3.0, rel=0.05) == llama.requests_per_second
    assert (800, 200, 200) == tuple(
        round(value) for value in (llama.prompt_tokens, llama.output_tokens, llama.cached_tokens)
    )
    assert pytest.approx(7.0, rel=0.05) == loads[DeploymentName("prod", "llama-big")].requests_per_second


def test_matchers_restrict_what_is_read(server):
    with server.source() as source:
        loads = deployment_loads(source, Scope(matchers='namespace="dev"'), WINDOW, AT)

    assert {("dev", "llama")} == set(loads)


def test_scan_shows_replicas_that_the_measured_load_does_not_need(server, tmp_path, monkeypatch):
    box = container(["--model", "meta-llama/Llama-3.1-8B-Instruct"], gpus=1)
    of = deployment(
        box,
        name="llama",
        namespace="prod",
        replicas=9,
        nodeSelector={"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"},
    )
    never = {**of, "metadata": {"name": "never-asked", "namespace": "prod"}}
    (tmp_path / "d.yaml").write_text(yaml.safe_dump_all([of, never]))
    (tmp_path / "prices.yaml").write_text(yaml.safe_dump(price_book_document()))
    monkeypatch.setattr("costpolicy.clock.SystemClock.now", lambda _: AT)
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO())
    arguments = ("-f", str(tmp_path / "d.yaml"), "--prices", str(tmp_path / "prices.yaml"), "--prometheus", server.url)
    code = main(("scan", *arguments, "-o", "json"), console)
    answer = json.loads(console.out.getvalue())
    row, unknown = sorted(answer["deployments"], key=lambda one: one["traffic"]["source"], reverse=True)

    assert 0 == code
    assert ("Observed", 800) == (row["traffic"]["source"], row["traffic"]["promptTokens"])
    [spare] = [one for one in row["waste"] if one["finding"] == "OverProvisioned"]
    assert float(spare["costPerHour"]) == 2.5 * (9 - int(spare["evidence"].split("and ")[1].split()[0]))
    assert any("Prometheus has no requests of it" in one for one in unknown["assumptions"])
    assert not any("OverProvisioned" == one["finding"] for one in unknown["waste"])
    assert not any("no metrics" in one for one in answer["assumptions"])
