"""The simulated replica that speculates.

Covered: proposals that are never and always accepted, the mean of those that sometimes are, blocks, preemption, the step's
budget, repeatability.  Not covered: predictions against it (tests/scenarios/test_speculating_arrivals.py).
"""

from math import ceil
from random import Random

import pytest

from costpolicy.simulation.replica.arrivals import ClosedLoop, OpenLoop
from costpolicy.simulation.replica.outcome import Outcome
from costpolicy.simulation.replica.requests import Lengths, Request
from costpolicy.simulation.replica.run import Engine, Length, simulate
from costpolicy.simulation.replica.scheduler import Limits
from costpolicy.simulation.replica.speculation import Proposals, SpeculatingScheduler

STEP = 0.01
ROOMY = Limits(max_num_seqs=32, max_num_batched_tokens=4096, kv_cache_tokens=100_000)


def step_seconds(*, prompts, prompt_tokens, pairs, sequences, context):
    return STEP + 1e-5 * prompt_tokens + 1e-4 * sequences + 1e-7 * sequences * context


def even_seconds(*, prompts, prompt_tokens, pairs, sequences, context):
    return STEP


def closed(
    proposals: Proposals | None, lengths: Lengths, *, clients: int = 8, limits: Limits = ROOMY, seconds=step_seconds
):
    engine = Engine(limits=limits, step_seconds=seconds, proposals=proposals)
    return simulate(engine, lengths, ClosedLoop(clients), Length(requests=60), Random(1))


def times(outcome: Outcome) -> list[tuple[float, float]]:
    return [(request.first_token, request.finished) for request in outcome.requests]


def test_proposals_that_are_never_accepted_change_nothing_but_the_time_that_they_take():
    lengths = Lengths(prompt_tokens=100, output_tokens=60)
    plain, rejected = (closed(one, lengths) for one in (None, Proposals(tokens=3, acceptance=0.0)))

    for one, other in zip(times(plain), times(rejected), strict=True):
        assert one == pytest.approx(other)
    assert plain.kv_utilization == pytest.approx(rejected.kv_utilization, rel=0.05)


@pytest.mark.parametrize("tokens", [1, 3, 7])
def test_proposals_that_are_always_accepted_make_the_steps_as_few_as_they_can_be(tokens: int):
    output = 60
    outcome = closed(
        Proposals(tokens=tokens, acceptance=1.0),
        Lengths(prompt_tokens=100, output_tokens=output),
        clients=1,
        seconds=even_seconds,
    )

    steps = ceil((output - 1) / (tokens + 1))
    assert {steps} == {round((request.finished - request.first_token) / STEP) for request in outcome.requests}


@pytest.mark.parametrize("acceptance", [0.2, 0.6])
def test_a_step_yields_the_tokens_of_the_closed_form_on_average(acceptance: float):
    outcome = closed(
        Proposals(tokens=3, acceptance=acceptance),
        Lengths(prompt_tokens=10, output_tokens=1000),
        clients=1,
        seconds=even_seconds,
    )
    steps = sum((request.finished - request.first_token) / STEP for request in outcome.requests)

    # The last step may yield more than is asked for, which is cut: less than one token of a thousand.
    expected = (1 - acceptance**4) / (1 - acceptance)
    assert expected == pytest.approx(999 * len(outcome.requests) / steps, rel=0.01)


def test_blocks_are_given_back_whatever_luck_the_requests_had():
    scheduler = SpeculatingScheduler(ROOMY, step_seconds, Proposals(tokens=4, acceptance=0.5), Random(3))
    free, now, done = scheduler.blocks.free, 0.0, 0
    for number in range(20):
        scheduler.submit(Request(number=number, arrival=0.0, prompt_tokens=37 + number, output_tokens=1 + 11 * number))
    while scheduler.running or scheduler.waiting:
        progress = scheduler.advance(now, 1e9)
        now += progress.seconds
        done += len(progress.finished)
        assert 0 <= scheduler.blocks.free <= free

    assert (20, free) == (done, scheduler.blocks.free)


def test_requests_that_outgrow_the_cache_are_preempted_and_answered_all_the_same():
    tight = Limits(max_num_seqs=32, max_num_batched_tokens=4096, kv_cache_tokens=1600)
    outcome = closed(
        Proposals(tokens=3, acceptance=0.5), Lengths(prompt_tokens=100, output_tokens=300), limits=tight, clients=12
    )

    assert outcome.preemptions > 0
    assert all(request.generated == request.output_tokens for request in outcome.requests)
    assert outcome.kv_utilization <= 1.0


def test_every_proposed_token_takes_its_place_in_the_budget_of_a_step():
    narrow = Limits(max_num_seqs=16, max_num_batched_tokens=80, kv_cache_tokens=100_000)
    lengths = Lengths(prompt_tokens=60, output_tokens=40)
    plain, proposing = (
        closed(one, lengths, limits=narrow, clients=16, seconds=even_seconds)
        for one in (None, Proposals(tokens=3, acceptance=0.0))
    )

    assert proposing.ttft().mean > plain.ttft().mean


def test_a_run_can_be_repeated():
    engine = Engine(limits=ROOMY, step_seconds=step_seconds, proposals=Proposals(tokens=3, acceptance=0.5))
    lengths = Lengths(prompt_tokens=100, output_tokens=60, cv=0.3)
    first, second = (simulate(engine, lengths, OpenLoop(5.0), Length(requests=100), Random(9)) for _ in range(2))

    assert times(first) == times(second)


@pytest.mark.parametrize(("tokens", "acceptance"), [(0, 0.5), (3, 1.5), (3, -0.1)])
def test_what_is_no_proposal_is_refused(tokens: int, acceptance: float):
    with pytest.raises(ValueError, match="are no proposals"):
        Proposals(tokens=tokens, acceptance=acceptance)
