"""What features cost, by the recording rules and promtool, against what is worked out by hand.

Covered: input and output apart, cached tokens, what no router saw, a router that saw more than the engines, two Prometheus, tokens
that were bought.  Not covered: that features sum up to the bill (tests/unit/reporting, tests/properties).
"""

from pathlib import Path

from contract.observe.promtool import check, line
from contract.observe.test_ledger_rules import OPERATOR, POLICY, PRICE, READY, engine
from costpolicy.observe.exported import Recorded

COST = f"round({Recorded.FEATURE_COST} * 1e4)"
"""The engines: 1.60 an hour for 720,000 prompt tokens (432,000 computed) and 144,000 generated, a fifth of it prefill."""


def routed(feature: str, kind: str, each: float, router: str = "router-1", policy: str = "chat") -> dict[str, str]:
    labels = (
        f'namespace="demo",pod="{router}",route="help",tier="small",policy="{policy}",feature="{feature}",kind="{kind}"'
    )
    return line("costpolicy_route_tokens_total", labels, f"0+{each}x260")


def cost(feature: str, ten_thousandths: float) -> tuple[str, float]:
    return f'{{{POLICY},feature="{feature}",currency="USD"}}', float(round(ten_thousandths))


def test_input_goes_by_computed_tokens_and_output_by_generated_ones(programs: dict[str, str], tmp_path: Path) -> None:
    # A quarter of the computed prompt tokens and half of the output are search's; a third of the output is chat's.
    series = [
        routed("search", "prompt", 1000),
        routed("search", "cached", 100),
        routed("search", "output", 600),
        routed("chat", "output", 400),
    ]
    expected = [cost("search", 1e4 * (0.32 * 0.25 + 1.28 * 0.5)), cost("chat", 1e4 * 1.28 / 3)]
    check([*engine(), OPERATOR, PRICE, READY, *series], {COST: expected}, "120m", tmp_path)


def test_routers_are_summed_and_one_that_two_prometheus_scrape_counts_once(
    programs: dict[str, str], tmp_path: Path
) -> None:
    twice = routed("chat", "output", 400)
    twice = {**twice, "series": twice["series"].replace("}", ',prometheus_replica="b"}')}
    series = [routed("chat", "output", 400), twice, routed("chat", "output", 200, "router-2")]
    check([*engine(), OPERATOR, PRICE, READY, *series], {COST: [cost("chat", 1e4 * 1.28 / 2)]}, "120m", tmp_path)


def test_features_never_have_more_than_was_paid(programs: dict[str, str], tmp_path: Path) -> None:
    series = [routed("chat", "output", 1800), routed("search", "output", 600)]
    expected = [cost("chat", 1e4 * 1.28 * 0.75), cost("search", 1e4 * 1.28 * 0.25)]
    check([*engine(), OPERATOR, PRICE, READY, *series], {COST: expected}, "120m", tmp_path)


def test_without_a_router_nothing_is_recorded(programs: dict[str, str], tmp_path: Path) -> None:
    check([*engine(), OPERATOR, PRICE, READY], {COST: []}, "120m", tmp_path)


def test_tokens_of_other_providers_cost_their_price(programs: dict[str, str], tmp_path: Path) -> None:
    priced = 'namespace="demo",route="help",tier="small",currency="USD",kind='
    series = [
        routed("chat", "prompt", 1000, policy=""),
        routed("chat", "cached", 250, policy=""),
        routed("chat", "output", 500, policy=""),
        routed("search", "output", 100, policy=""),
        *(
            line("costpolicy_token_price_per_million", f'{priced}"{kind}"', f"{price}x260")
            for kind, price in (("prompt", 2), ("cached", 0.5), ("output", 8))
        ),
    ]
    # 120 samples an hour: 90,000 computed and 30,000 cached prompt tokens, 60,000 and 12,000 generated.
    place = 'namespace="demo",route="help",tier="small",currency="USD"'
    expected = [
        (f'{{{place},feature="chat"}}', float(round(1e4 * (0.09 * 2 + 0.03 * 0.5 + 0.06 * 8)))),
        (f'{{{place},feature="search"}}', float(round(1e4 * 0.012 * 8))),
    ]
    check(series, {f"round({Recorded.BOUGHT_COST} * 1e4)": expected}, "120m", tmp_path)
