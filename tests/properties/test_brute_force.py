"""Plans equal brute force over every option and every combination of the engine's settings.

Covered: small catalogues, dense and mixture.  Not covered: laws between plans (test_planner_properties.py).
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from costpolicy.perf.latency import Unpredictable
from costpolicy.planning.constraints import Question
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.judgement import judge
from costpolicy.planning.options import Option, options
from costpolicy.planning.plan import Target
from costpolicy.planning.replica import Replica
from costpolicy.planning.request import PlanRequest, limits_of
from costpolicy.units import GIB, Money
from situations import MIXTURE, asking, cost, latency_holds_back, situations


def settings_of(asked: PlanRequest, option: Option) -> Iterator[Option]:
    """Every combination of the engine's settings for an option, in no relation to what holds it back."""
    default = option.replica.defaults
    served = option.replica.served
    seats = 0.0 if isinstance(served, Unpredictable) else served.kv_seats
    fewer = [one for one in (16, 32, 64, 128, 256, 512) if one < min(default.max_num_seqs, seats)]
    fewer = fewer if asked.spec.objectives.inter_token_latency is not None else []
    more = [default.max_num_seqs * factor for factor in (2, 4) if seats > default.max_num_seqs * factor / 2]
    outside = option.accelerator.memory_bytes * 0.05 - option.replica.memory.graph_bytes
    for tokens, sequences, memory in product(
        (None, 2048, 4096, 8192, 16384), (None, *fewer, *more), (None, 0.95) if outside >= GIB else (None,)
    ):
        changed = replace(
            option.configuration,
            max_num_batched_tokens=tokens,
            max_num_seqs=sequences,
            gpu_memory_utilization=memory,
        )
        replica = Evaluation(asked).replica(changed, option.accelerator)
        for servers, interval in hosts_of(asked, replica):
            hosted = replace(changed, api_servers=servers, stream_interval=interval)
            yield replace(option, configuration=hosted, replica=Evaluation(asked).replica(hosted, option.accelerator))


def hosts_of(asked: PlanRequest, replica: Replica) -> list[tuple[int | None, int | None]]:
    """The settings of the API process that may be tried: where all seats would keep one process half busy."""
    served = replica.served
    if replica.shape.accelerators > 1 or isinstance(served, Unpredictable):
        return [(None, None)]
    if served.seats / served.decode_step(served.seats) * served.host_per_token < 0.5:
        return [(None, None)]
    chunks = [(4, 8)] if asked.spec.objectives.inter_token_latency is None else []
    return [(None, None), (4, None), *chunks]


def needless(option: Option, found: Target, asked: PlanRequest) -> bool:
    """Whether fewer sequences than the engine's default were taken although latency does not ask for it."""
    configuration = option.configuration
    if (configuration.max_num_seqs or 10**6) >= option.replica.defaults.max_num_seqs:
        return False
    default = replace(configuration, max_num_seqs=None)
    replica = Evaluation(asked).replica(default, option.accelerator)
    return not latency_holds_back(replica, asked.demand.requests_per_second / found.replicas)


def brute_force(asked: PlanRequest) -> Money | None:
    """What the cheapest of all options costs in all their settings."""
    evaluation = Evaluation(asked)
    question = Question(request=asked, evaluation=evaluation)
    every = [
        outcome
        for option in options(asked, asked.supplies, evaluation, gate=False)
        for variant in settings_of(asked, option)
        if isinstance(outcome := judge(variant, question, limits_of(asked)), Target)
        and not needless(variant, outcome, asked)
    ]
    return min((found.cost_per_hour for found in every), default=None)


@given(situations())
def test_equals_brute_force_over_all_options_and_settings(given_: dict[str, Any]):
    asked = asking({**given_, "names": given_["names"][:2]})

    assert brute_force(asked) == cost(asked)


@given(situations(), st.sampled_from(["nvidia-l40s", "nvidia-a100-80gb", "nvidia-h100-80gb"]))
def test_equals_brute_force_over_the_splits_of_a_mixture(given_: dict[str, Any], name: str):
    asked = asking({**given_, "names": [name], "quantization": "Disabled"}, model=MIXTURE)

    assert brute_force(asked) == cost(asked)
