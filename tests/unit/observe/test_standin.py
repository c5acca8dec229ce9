"""The metrics stand-in looks like vLLM and behaves like a queue.

Covered: names, types, help, labels and buckets against recorded expositions; load, saturation, growth by
replicas, prefix hits, pods that come and go.  Not covered: HTTP
(tests/contract/observe/test_standin_scraped).
"""

import re
from pathlib import Path

import pytest

from standin.engine import Speed
from standin.fleet import Fleet, Load

RECORDED = Path(__file__).parents[2] / "data" / "vllm" / "0.32.0-cpu.txt"


def families(text: str) -> dict[str, str]:
    return {name: f"{kind}" for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)}


def helps(text: str) -> dict[str, str]:
    return dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))


def shapes(text: str) -> dict[str, set[tuple[str, ...]]]:
    """Label names (and bucket bounds) of every series."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for name, inside in re.findall(r"^(vllm:\w+)\{(.*)\} ", text, re.MULTILINE):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', inside))
        bound = [f"le={labels.pop('le')}"] if "le" in labels else []
        found.setdefault(name, set()).add((*sorted(labels), *bound))
    return found


def served(fleet: Fleet) -> dict[str, float]:
    """Sum of every series by name, buckets apart."""
    total: dict[str, float] = {}
    for name, value in re.findall(r"^(\S+?)\{.*\} (\S+)$", fleet.page(), re.MULTILINE):
        total[name] = total.get(name, 0.0) + float(value)
    return total


def play(requests_per_second: float, pods: int, seconds: float, **load: int) -> Fleet:
    fleet = Fleet(0.0)
    fleet.set_pods("demo", "chat", "aaa", [f"chat-{number}" for number in range(pods)])
    fleet.set_load("demo", "chat", Load(requests_per_second, **load))
    for now in range(1, int(seconds) + 1):
        fleet.advance(float(now))
    return fleet


def test_looks_like_the_recorded_exposition() -> None:
    recorded = RECORDED.read_text(encoding="utf-8")
    shown = play(2, 1, 30).page()
    ours = {name: kind for name, kind in families(shown).items() if name != "up"}
    assert {name: families(recorded)[name] for name in ours} == ours
    assert {name: helps(recorded)[name] for name in ours} == {name: helps(shown)[name] for name in ours}
    pod = {"namespace", "pod", "costpolicy", "variant"}
    for name, series in shapes(shown).items():
        if name != "vllm:cache_config_info":
            bare = {tuple(label for label in labels if label not in pod) for labels in series}
            assert shapes(recorded)[name] == bare, name


def test_cache_configuration_has_labels_that_vllm_has() -> None:
    [recorded] = shapes(RECORDED.read_text(encoding="utf-8"))["vllm:cache_config_info"]
    [ours] = shapes(play(1, 1, 1).page())["vllm:cache_config_info"]
    assert set(ours) - {"namespace", "pod", "costpolicy", "variant"} <= set(recorded)


def test_a_light_load_is_served_as_it_comes() -> None:
    total = served(play(4, 1, 300))
    assert pytest.approx(total["vllm:time_to_first_token_seconds_count"], rel=0.1) == 1200
    assert total["vllm:num_requests_waiting"] == 0
    mean = total["vllm:time_to_first_token_seconds_sum"] / total["vllm:time_to_first_token_seconds_count"]
    assert 0.02 < mean < 0.2


def test_a_load_beyond_capacity_grows_the_queue_and_the_time_to_first_token() -> None:
    calm, flooded = served(play(5, 1, 120)), served(play(120, 1, 120))
    assert flooded["vllm:num_requests_waiting"] > 1000
    ttft = {
        name: total["vllm:time_to_first_token_seconds_sum"] / total["vllm:time_to_first_token_seconds_count"]
        for name, total in (("calm", calm), ("flooded", flooded))
    }
    assert ttft["flooded"] > 20 * ttft["calm"]


def test_more_replicas_drain_what_one_cannot() -> None:
    fleet = play(35, 1, 60)
    assert served(fleet)["vllm:num_requests_waiting"] > 0
    fleet.set_pods("demo", "chat", "aaa", ["chat-0", "chat-1", "chat-2", "chat-3"])
    for now in range(61, 240):
        fleet.advance(float(now))
    assert served(fleet)["vllm:num_requests_waiting"] < 5
    assert served(fleet)["up"] == 4


def test_a_shared_prefix_is_computed_once_per_engine() -> None:
    total = served(play(2, 1, 100, prompt_tokens=1200, shared_prefix_tokens=1000))
    requests = total["vllm:request_queue_time_seconds_count"]
    # 1,000 tokens are 62 whole blocks of 16, found by every request but the first.
    assert 992 * (requests - 1) == total["vllm:prefix_cache_hits_total"]
    assert total["vllm:prompt_tokens_total"] == total["vllm:prompt_tokens_by_source_total"]


def test_a_pod_that_goes_finishes_what_it_has_begun_and_who_waits_asks_elsewhere() -> None:
    fleet = play(100, 2, 20)
    waiting = {str(one["pod"]): int(str(one["waiting"])) for one in fleet.state()}
    running = {str(one["pod"]): int(str(one["running"])) for one in fleet.state()}
    fleet.set_load("demo", "chat", Load(0))
    fleet.set_pods("demo", "chat", "aaa", ["chat-0"])
    [left] = fleet.state()
    assert waiting["chat-1"] > 0
    assert waiting["chat-0"] + waiting["chat-1"] == int(str(left["waiting"]))
    assert running["chat-0"] == int(str(left["running"]))


def test_engines_differ_where_they_are_told_to() -> None:
    fleet = Fleet(0.0)
    fleet.set_pods("demo", "chat", "slow", ["chat-0"], speed=Speed(decode_seconds=0.2))
    fleet.set_load("demo", "chat", Load(0.5, output_tokens=20))
    for now in range(1, 121):
        fleet.advance(float(now))
    total = served(fleet)
    mean = total["vllm:inter_token_latency_seconds_sum"] / total["vllm:inter_token_latency_seconds_count"]
    assert 0.2 < mean < 0.25


def test_a_long_pause_is_skipped_and_not_played() -> None:
    fleet = play(1, 1, 10)
    fleet.advance(100_000.0)
    assert served(fleet)["vllm:request_queue_time_seconds_count"] < 120
