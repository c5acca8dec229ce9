"""The chart's recording rules, by promtool: they are valid, and give what is worked out by hand.

Covered: every rule, counter resets, gaps, two clusters, the file being what the builders write, names of
metrics. Not covered: PrometheusRule as the chart wraps it.
"""

import re
import subprocess
from pathlib import Path

import pytest

from contract.observe.promtool import POD, RULES, VARIANT, check, line
from contract.observe.tapes import RECORDED, exposition
from costpolicy.observe.autoscaling import load_of_policy
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.exported import EXPORTED, Recorded
from costpolicy.observe.questions import QUESTIONS
from costpolicy.observe.router_metrics import RouterMetric
from costpolicy.observe.rules import render, rule_file
from costpolicy.observe.scope import Scope
from costpolicy.observe.totals import SERIES
from costpolicy.planning.autoscaling import LoadSignal

OF_SPECULATION = {EngineMetric.PROPOSED_TOKENS, EngineMetric.ACCEPTED_TOKENS}
HELD = f'{VARIANT},accelerator="nvidia-l40s",capacity_type="OnDemand"'


def test_the_file_in_the_chart_is_what_the_builders_write() -> None:
    assert RULES.read_text(encoding="utf-8") == render(), "run python -m costpolicy.observe.rules"


def test_promtool_accepts_the_rules(programs: dict[str, str]) -> None:
    done = subprocess.run([programs["promtool"], "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{len(Recorded)} rules found" in done.stdout


def test_every_recorded_name_is_recorded_once() -> None:
    names = [rule["record"] for group in rule_file()["groups"] for rule in group["rules"]]
    assert sorted(Recorded) == sorted(names)


def test_all_rules_on_one_steady_engine(programs: dict[str, str], tmp_path: Path) -> None:
    # Two requests a second of 100 + 20 tokens, 40 of the prompt cached; half of them under 0.5 s, all under 1 s.
    series = [
        line("vllm:time_to_first_token_seconds_count", POD, "0+60x40"),
        line("vllm:time_to_first_token_seconds_bucket", POD + ',le="0.5"', "0+30x40"),
        line("vllm:time_to_first_token_seconds_bucket", POD + ',le="1.0"', "0+60x40"),
        line("vllm:time_to_first_token_seconds_bucket", POD + ',le="+Inf"', "0+60x40"),
        line("vllm:inter_token_latency_seconds_bucket", POD + ',le="0.025"', "0+1140x40"),
        line("vllm:inter_token_latency_seconds_bucket", POD + ',le="0.05"', "0+1200x40"),
        line("vllm:inter_token_latency_seconds_bucket", POD + ',le="+Inf"', "0+1200x40"),
        line("vllm:num_requests_waiting", POD, "5x40"),
        line("vllm:request_success_total", POD + ',finished_reason="stop"', "0+60x40"),
        line("vllm:prompt_tokens_total", POD, "0+6000x40"),
        line("vllm:prefix_cache_hits_total", POD, "0+2400x40"),
        line("vllm:generation_tokens_total", POD, "0+1200x40"),
        line("costpolicy_gpus", HELD + ',state="ready"', "2x40"),
        line("costpolicy_gpus", HELD + ',state="starting"', "1x40"),
        line("costpolicy_price_per_hour", HELD + ',currency="USD"', "0.79x40"),
        line("costpolicy_build_info", 'version="0.1.0"', "1x40"),
    ]
    one = [
        (Recorded.REQUESTS_OFFERED, "", 2),
        (Recorded.REQUESTS_FINISHED, ',finished_reason="stop"', 2),
        (Recorded.PROMPT_TOKENS, "", 200),
        (Recorded.COMPUTED_PROMPT_TOKENS, "", 120),
        (Recorded.GENERATED_TOKENS, "", 40),
        (Recorded.TTFT_P50, "", 0.5),
        (Recorded.TTFT_P95, "", 0.95),
        (Recorded.INTER_TOKEN_P95, "", 0.025),
        (Recorded.COST_PER_HOUR, ',currency="USD"', 2.37),
    ]
    # A sum of floats is off by a few units in the last place: compared as whole millionths.
    expected = {f"round({name} * 1e6)": [(f"{{{VARIANT}{more}}}", round(value * 1e6))] for name, more, value in one}
    expected["costpolicy_variant:accelerators:sum"] = [
        (f'costpolicy_variant:accelerators:sum{{{VARIANT},state="ready"}}', 2.0),
        (f'costpolicy_variant:accelerators:sum{{{VARIANT},state="starting"}}', 1.0),
    ]
    policy = 'namespace="demo",policy="chat"'
    expected["round(costpolicy_policy:requests_offered:rate5m * 1e6)"] = [(f"{{{policy}}}", 2e6)]
    expected["round(costpolicy_policy:cost_per_hour:sum * 1e6)"] = [(f'{{{policy},currency="USD"}}', 2.37e6)]
    expected[Recorded.LOAD_AND_LATENCY.value] = []  # no engine was there an hour ago, and these series hold no means
    expected[Recorded.SATURATED_REQUESTS.value] = expected[
        Recorded.SATURATED_SHAPE.value
    ] = []  # its queue does not grow
    of_the_ledger = (
        Recorded.OFFERING_ACCELERATORS,
        Recorded.OFFERING_COST_PER_HOUR,
        Recorded.LEDGER,
        Recorded.UNIT_COST,
        Recorded.OPERATORS_SEEN,
        Recorded.HOLDINGS_KNOWN,
        Recorded.POLICY_COST,
        Recorded.USUAL_COST,
        Recorded.FEATURE_COST,
        Recorded.BOUGHT_COST,
    )  # test_ledger_rules, test_alert_rules, test_feature_rules
    expected["costpolicy:operators:count"] = [("costpolicy:operators:count", 1.0)]
    waiting = Recorded.POLICY_REQUESTS_WAITING
    expected[waiting.value] = [(f"{waiting}{{{policy}}}", 5.0)]
    expected[Recorded.POLICY_REQUESTS_RUNNING.value] = []  # not among these series; a test of their own has them
    expected[Recorded.POLICY_KV_CACHE_USAGE.value] = expected[Recorded.REQUEST_SHAPE.value] = []
    assert len(Recorded) == len(expected) + len(of_the_ledger)
    check(series, expected, "20m", tmp_path)


def test_what_autoscalers_read_is_summed_over_the_replicas_of_both_variants(
    programs: dict[str, str], tmp_path: Path
) -> None:
    # A replica of what serves, one of two data-parallel ranks, and a canary; another policy is another sum.
    ranks = POD.replace("chat-1", "chat-2")
    canary = POD.replace("chat-1", "chat-3").replace("aaa", "bbb")
    other = POD.replace("chat-1", "docs-1").replace('costpolicy="chat"', 'costpolicy="docs"')
    series = []
    for pod, running, waiting, cache in (
        (POD, 8, 1, "0.5"),
        (ranks, 4, 0, "0.25"),
        (ranks.replace('engine="0"', 'engine="1"'), 5, 2, "0.75"),
        (canary, 3, 0, "0.25"),
        (other, 40, 9, "0.875"),
    ):
        series.append(line("vllm:num_requests_running", pod, f"{running}x40"))
        series.append(line("vllm:num_requests_waiting", pod, f"{waiting}x40"))
        series.append(line("vllm:kv_cache_usage_perc", pod, f"{cache}x40"))
    chat, docs = ('namespace="demo",policy="chat"', 'namespace="demo",policy="docs"')
    sums = {
        Recorded.POLICY_REQUESTS_RUNNING: (20.0, 40.0),
        Recorded.POLICY_REQUESTS_WAITING: (3.0, 9.0),
        Recorded.POLICY_KV_CACHE_USAGE: (1.5, 0.875),
    }
    expected: dict[str, list[tuple[str, float]]] = {
        name.value: [(f"{name}{{{chat}}}", here), (f"{name}{{{docs}}}", there)] for name, (here, there) in sums.items()
    }
    asked = load_of_policy(Scope(), LoadSignal.RUNNING, "demo", "chat")
    check(series, expected | {asked: [("{}", 20.0)]}, "10m", tmp_path)


def test_an_hour_of_two_engines_of_which_one_came_in_its_middle(programs: dict[str, str], tmp_path: Path) -> None:
    # Each serves two requests a second of 100 + 20 tokens, 40 of them cached, TTFT 500 ms and 20 ms between tokens.
    series = []
    for name, begin in (("chat-1", 0), ("chat-2", 180)):
        pod = POD.replace("chat-1", name)
        before = f"_x{begin - 1} " if begin else ""
        series.append(line("vllm:num_requests_running", pod, f"{before}3x{400 - begin}"))
        for metric, grows in (
            ("time_to_first_token_seconds_count", 60),
            ("time_to_first_token_seconds_sum", 30),
            ("inter_token_latency_seconds_count", 1200),
            ("inter_token_latency_seconds_sum", 24),
            ("request_prompt_tokens_count", 60),
            ("request_prompt_tokens_sum", 6000),
            ("request_generation_tokens_count", 60),
            ("request_generation_tokens_sum", 1200),
            ("prefix_cache_hits_total", 2400),
            ("prefix_cache_queries_total", 6000),
        ):
            series.append(line(f"vllm:{metric}", pod, f"{before}0+{grows}x{400 - begin}"))
    whole = {
        "requests": 7200,
        "engines": 1,
        "prompt_tokens": 100,
        "output_tokens": 20,
        "prefix_hit_ratio": 0.4,
        "ttft_seconds": 0.5,
        "inter_token_latency_seconds": 0.02,
    }
    thousandths = f"round({Recorded.LOAD_AND_LATENCY} * 1e3)"
    alone = [(f'{{{VARIANT},figure="{figure}"}}', round(value * 1e3)) for figure, value in whole.items()]
    check(series, {thousandths: alone}, "80m", tmp_path)
    halves = f'round({Recorded.LOAD_AND_LATENCY}{{figure="engines"}} * 10)'
    check(series, {halves: [(f'{{{VARIANT},figure="engines"}}', 15.0)]}, "120m", tmp_path)


def test_an_hour_of_a_variant_that_speculates_says_what_was_proposed_and_by_whom(
    programs: dict[str, str], tmp_path: Path
) -> None:
    # Ten steps a second, three tokens proposed in each, of which four in ten are accepted; two operators tell of it.
    plain = POD.replace("chat", "plain")
    series = [line("vllm:num_requests_running", POD, "3x140")]
    for metric, grows in (
        ("inter_token_latency_seconds_count", 300),
        ("spec_decode_num_draft_tokens_total", 900),
        ("spec_decode_num_accepted_tokens_total", 360),
    ):
        series.append(line(f"vllm:{metric}", POD, f"0+{grows}x140"))
    series.append(line("vllm:inter_token_latency_seconds_count", plain, "0+300x140"))
    proposer = 'proposer="eagle:3:example/head"'
    told = [f'{VARIANT},{proposer},instance="{operator}"' for operator in ("a", "b")]
    series += [line("costpolicy_proposer_info", labels, "1x140") for labels in told]
    figures = {"decode_steps": 36_000, "proposed_tokens": 108_000, "accepted_tokens": 43_200}
    expected = [(f'{{{VARIANT},{proposer},figure="{figure}"}}', value) for figure, value in figures.items()]
    proposed = f'round({Recorded.LOAD_AND_LATENCY}{{figure!="engines"}})'
    check(series, {proposed: expected}, "66m", tmp_path)


def test_an_hour_of_data_parallel_ranks_is_one_of_one_replica(programs: dict[str, str], tmp_path: Path) -> None:
    """Names and labels of the two ranks are those recorded from one server (0.32.0-cpu-dp2.txt), values made up."""
    recorded = [labels for name, labels, _ in exposition("0.32.0-cpu-dp2.txt") if name == "vllm:num_requests_running"]
    pods = [POD.replace('engine="0"', f'engine="{labels["engine"]}"') for labels in recorded]
    series = [line("vllm:num_requests_running", pod, "3x140") for pod in pods]
    series += [line("vllm:time_to_first_token_seconds_count", pod, "0+60x140") for pod in pods]
    hour = f"round({Recorded.LOAD_AND_LATENCY} * 10)"

    assert 2 == len(pods)
    expected = [(f'{{{VARIANT},figure="requests"}}', 144000.0), (f'{{{VARIANT},figure="engines"}}', 10.0)]
    check(series, {hour: expected}, "66m", tmp_path)


def test_the_first_hour_of_a_variant_is_no_window(programs: dict[str, str], tmp_path: Path) -> None:
    series = [
        line("vllm:time_to_first_token_seconds_count", POD, "0+60x140"),
        line("vllm:num_requests_running", POD, "3x140"),
    ]
    requests = f'round({Recorded.LOAD_AND_LATENCY}{{figure="requests"}})'
    check(series, {requests: []}, "50m", tmp_path)
    check(series, {requests: [(f'{{{VARIANT},figure="requests"}}', 7200.0)]}, "66m", tmp_path)


def test_a_restart_is_neither_negative_nor_double_load(programs: dict[str, str], tmp_path: Path) -> None:
    # One request a second; the engine restarts with a queue of 100, which is lost.
    series = [
        line("vllm:time_to_first_token_seconds_count", POD, "0+30x30 30+30x30"),
        line("vllm:num_requests_waiting", POD, "100x30 0x30"),
        line("vllm:generation_tokens_total", POD, "0+300x30 300+300x30"),
    ]
    for at in ("15m", "16m", "17m", "25m"):
        expected = {
            "round(costpolicy_variant:requests_offered:rate5m * 1e6)": [(f"{{{VARIANT}}}", 1e6)],
            "round(costpolicy_variant:generated_tokens:rate5m * 1e6)": [(f"{{{VARIANT}}}", 10e6)],
        }
        check(series, expected, at, tmp_path)


def test_a_gap_stays_a_gap(programs: dict[str, str], tmp_path: Path) -> None:
    series = [
        line("vllm:time_to_first_token_seconds_count", POD, "0+30x20 stale _x40 2000+30x20"),
        line("costpolicy_gpus", HELD + ',state="ready"', "2x20 stale _x40 2x20"),
        line("costpolicy_price_per_hour", HELD + ',currency="USD"', "1x20 stale _x40 1x20"),
    ]
    check(
        series,
        {"costpolicy_variant:requests_offered:rate5m": [], "costpolicy_variant:cost_per_hour:sum": []},
        "25m",
        tmp_path,
    )


def test_clusters_stay_apart(programs: dict[str, str], tmp_path: Path) -> None:
    series = [
        line("vllm:time_to_first_token_seconds_count", f'{POD},cluster="{name}"', f"0+{30 * rate}x40")
        for name, rate in (("a", 1), ("b", 4))
    ]
    expected = {
        "round(costpolicy_policy:requests_offered:rate5m * 1e6)": [
            ('{cluster="a",namespace="demo",policy="chat"}', 1e6),
            ('{cluster="b",namespace="demo",policy="chat"}', 4e6),
        ]
    }
    check(series, expected, "20m", tmp_path)


@pytest.mark.parametrize("metric", EngineMetric)
def test_every_engine_metric_occurs_in_a_recorded_exposition_of_the_newest_engine(metric: EngineMetric) -> None:
    file = "0.32.0-cpu-ngram.txt" if metric in OF_SPECULATION else "0.32.0-cpu.txt"
    names = {name for name, _, _ in exposition(file)}
    assert metric.value in names or f"{metric.value}_bucket" in names


@pytest.mark.parametrize("file", sorted(path.name for path in RECORDED.glob("*.txt")))
def test_every_engine_metric_but_the_newest_occurs_in_every_recorded_exposition(file: str) -> None:
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name, _, _ in exposition(file)}
    newer = set() if file.startswith("0.32") else {EngineMetric.REJECTED}
    others = set() if "ngram" in file else OF_SPECULATION
    assert {metric.value for metric in EngineMetric} - newer - others <= families
    assert not others & families, "an engine exports them only where it speculates"


def test_queries_and_rules_name_nothing_else() -> None:
    known = {*EngineMetric, *RouterMetric, *(gauge.name for gauge in EXPORTED), *Recorded}
    texts = [ask(Scope()) for ask in QUESTIONS.values()]
    texts += [rule["expr"] for group in rule_file()["groups"] for rule in group["rules"]]
    used = {
        re.sub(r"_(bucket|count|sum)$", "", name)
        for text in texts
        for name in re.findall(r"(?:vllm|costpolicy(?:_variant|_policy|_route)?):[\w:]+|costpolicy_\w+", text)
    }
    assert {str(name) for name in known} >= {name for name in used if name != "costpolicy:operators"}
    audited = {re.sub(r"_(bucket|count|sum)$", "", name) for name in SERIES}
    assert {str(metric) for metric in EngineMetric} <= used | audited
