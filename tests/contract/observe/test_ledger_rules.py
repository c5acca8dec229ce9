"""The ledger's recording rules, by promtool, against what is worked out by hand.

Covered: costs by offering and state, a price that changes, what was served, an operator and engines that were not seen, costs
per request and per token, two clusters.  Reading the recorded hours back from a server is in ``test_ledger``.
"""

from pathlib import Path

import pytest

from contract.observe.promtool import POD, VARIANT, check, line
from costpolicy.observe.exported import Recorded

POLICY = 'namespace="demo",policy="chat"'
OFFERED = 'accelerator="nvidia-l40s",capacity_type="OnDemand"'
HELD = f"{VARIANT},{OFFERED}"
OPERATOR = line("costpolicy_build_info", 'version="0.1.0"', "1x260")
PRICE = line("costpolicy_price_per_hour", HELD + ',currency="USD"', "0.8x260")
READY = line("costpolicy_gpus", HELD + ',state="ready"', "2x260")
"""Samples are 30 seconds apart: 260 of them are more than two hours."""


def engine(pod: str = POD) -> list[dict[str, str]]:
    """Two requests a second of 100 + 20 tokens, 40 of the prompt cached; one in ten is aborted; a fifth of their time is prefill."""
    return [
        line("vllm:time_to_first_token_seconds_count", pod, "0+60x260"),
        line("vllm:request_success_total", pod + ',finished_reason="stop"', "0+54x260"),
        line("vllm:request_success_total", pod + ',finished_reason="abort"', "0+6x260"),
        line("vllm:prompt_tokens_total", pod, "0+6000x260"),
        line("vllm:prefix_cache_hits_total", pod, "0+2400x260"),
        line("vllm:generation_tokens_total", pod, "0+1200x260"),
        line("vllm:request_prefill_time_seconds_sum", pod, "0+6x260"),
        line("vllm:request_decode_time_seconds_sum", pod, "0+24x260"),
    ]


def ledger(figure: str) -> str:
    return f'round({Recorded.LEDGER}{{figure="{figure}"}} * 1e3)'


def test_an_hour_of_one_steady_engine_and_of_one_that_starts(programs: dict[str, str], tmp_path: Path) -> None:
    starting = line("costpolicy_gpus", HELD + ',state="starting"', "1x260")
    figures = {"requests": 6480e3, "prompt_tokens": 720_000e3, "cached_tokens": 288_000e3, "output_tokens": 144_000e3}
    expected = {
        ledger(figure): [(f'{{{VARIANT},figure="{figure}"}}', float(value))] for figure, value in figures.items()
    }
    expected[ledger("cost")] = [
        (f'{{{HELD},state="ready",currency="USD",figure="cost"}}', 1600.0),
        (f'{{{HELD},state="starting",currency="USD",figure="cost"}}', 800.0),
    ]
    expected[ledger("accelerators")] = [
        (f'{{{HELD},state="ready",figure="accelerators"}}', 2000.0),
        (f'{{{HELD},state="starting",figure="accelerators"}}', 1000.0),
    ]
    for share in ("scraped", "held"):
        expected[ledger(share)] = [(f'{{{POLICY},figure="{share}"}}', 1000.0)]
    expected[str(Recorded.OPERATORS_SEEN)] = [(str(Recorded.OPERATORS_SEEN), 1.0)]
    check([*engine(), OPERATOR, PRICE, READY, starting], expected, "120m", tmp_path)


def test_what_an_hour_cost_per_request_and_per_token(programs: dict[str, str], tmp_path: Path) -> None:
    # 1.60 an hour for 6,480 answers, 720,000 prompt tokens (432,000 computed) and 144,000 generated.
    per = {
        "request": 1.6 / 6480,
        "million_tokens": 1.6 / 0.864,
        "million_input_tokens": 0.2 * 1.6 / 0.72,
        "million_computed_input_tokens": 0.2 * 1.6 / 0.432,
        "million_output_tokens": 0.8 * 1.6 / 0.144,
    }
    expected = [(f'{{{POLICY},currency="USD",per="{name}"}}', float(round(cost * 1e6))) for name, cost in per.items()]
    check([*engine(), OPERATOR, PRICE, READY], {f"round({Recorded.UNIT_COST} * 1e6)": expected}, "120m", tmp_path)


def test_nothing_served_has_no_cost_per_request(programs: dict[str, str], tmp_path: Path) -> None:
    check([OPERATOR, PRICE, READY], {str(Recorded.UNIT_COST): []}, "120m", tmp_path)


def test_a_price_counts_from_the_minute_it_was_in_force(programs: dict[str, str], tmp_path: Path) -> None:
    # 45 minutes at 0.80 and 15 at 1.60: 30 samples before the end of the second hour.
    price = line("costpolicy_price_per_hour", HELD + ',currency="USD"', "0.8x211 1.6x50")
    cost = [(f'{{{HELD},state="ready",currency="USD",figure="cost"}}', 20.0)]
    tenths = f'round({Recorded.LEDGER}{{figure="cost"}} * 10)'
    check([*engine(), OPERATOR, price, READY], {tenths: cost}, "120m", tmp_path)


def test_an_hour_says_how_much_of_it_is_known(programs: dict[str, str], tmp_path: Path) -> None:
    # The operator is gone for the first half of the second hour; the engines are scraped in all of it.
    operator = line("costpolicy_build_info", 'version="0.1.0"', "1x120 stale _x62 1x80")
    seen = [("{}", 50.0)]
    check([*engine(), operator, PRICE, READY], {f"round({Recorded.OPERATORS_SEEN} * 100)": seen}, "120m", tmp_path)


KSM = 'namespace="demo",pod="chat-0123456789-7f9c-abcde"'
HELD_BY_HASH = HELD.replace("aaa", "0123456789")


def unattended(*, phase: str = "Running", node: str = "node-1", pod: str = KSM) -> list[dict[str, str]]:
    """An operator that goes half an hour before the end of the second hour, and kube-state-metrics' series of one pod."""
    priced = HELD_BY_HASH + ',currency="USD"'
    return [
        line("costpolicy_build_info", 'version="0.1.0"', "1x180 stale"),
        line("costpolicy_price_per_hour", priced, "0.8x180 stale"),
        line("costpolicy_gpus", HELD_BY_HASH + ',state="ready"', "2x180 stale"),
        line(
            "kube_pod_container_resource_requests",
            f'{pod},node="{node}",container="engine",resource="nvidia_com_gpu"',
            "2x260",
        ),
        line("kube_pod_container_resource_requests", f'{pod},node="{node}",container="engine",resource="cpu"', "8x260"),
        line("kube_pod_status_phase", f'{pod},phase="{phase}"', "1x260"),
        line("kube_pod_status_phase", f'{pod},phase="Failed"', "0x260"),
    ]


def test_while_no_operator_is_scraped_kube_state_metrics_says_what_is_held(
    programs: dict[str, str], tmp_path: Path
) -> None:
    cost = [
        (f'{{{HELD_BY_HASH},state="ready",currency="USD",figure="cost"}}', 8.0),
        (f'{{{HELD_BY_HASH},state="unattended",currency="USD",figure="cost"}}', 8.0),
    ]
    expected = {
        f'round({Recorded.LEDGER}{{figure="cost"}} * 10)': cost,
        f"round({Recorded.OPERATORS_SEEN} * 100)": [("{}", 100.0)],
    }
    check(unattended(), expected, "120m", tmp_path)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"phase": "Succeeded"}, id="it has ended"),
        pytest.param({"node": ""}, id="it waits for a node"),
        pytest.param({"pod": 'namespace="demo",pod="database-0"'}, id="it is somebody else's"),
    ],
)
def test_a_pod_that_holds_nothing_of_ours_fills_no_gap(
    told: dict[str, str], programs: dict[str, str], tmp_path: Path
) -> None:
    attended = [(f'{{{HELD_BY_HASH},state="ready",currency="USD",figure="cost"}}', 8.0)]
    check(unattended(**told), {f'round({Recorded.LEDGER}{{figure="cost"}} * 10)': attended}, "120m", tmp_path)


def test_replicas_that_were_held_for_half_an_hour(programs: dict[str, str], tmp_path: Path) -> None:
    late = line("costpolicy_gpus", HELD + ',state="ready"', "_x179 2x81")
    price = line("costpolicy_price_per_hour", HELD + ',currency="USD"', "_x179 0.8x81")
    expected = {
        f'round({Recorded.LEDGER}{{figure="held"}} * 10)': [(f'{{{POLICY},figure="held"}}', 5.0)],
        f'round({Recorded.LEDGER}{{figure="cost"}} * 10)': [
            (f'{{{HELD},state="ready",currency="USD",figure="cost"}}', 8.0)
        ],
        Recorded.LEDGER + '{figure="scraped"}': [],
    }
    check([OPERATOR, price, late], expected, "120m", tmp_path)


def test_clusters_do_not_share_a_ledger(programs: dict[str, str], tmp_path: Path) -> None:
    series = []
    for name, count in (("a", 1), ("b", 3)):
        cluster = f',cluster="{name}"'
        series += [
            line("costpolicy_build_info", f'version="0.1.0"{cluster}', "1x260"),
            line("costpolicy_price_per_hour", HELD + ',currency="USD"' + cluster, "1x260"),
            line("costpolicy_gpus", HELD + ',state="ready"' + cluster, f"{count}x260"),
        ]
    held = [
        (f'{{{HELD},state="ready",figure="accelerators",cluster="{name}"}}', 1000.0 * count)
        for name, count in (("a", 1), ("b", 3))
    ]
    check(series, {ledger("accelerators"): held}, "120m", tmp_path)
