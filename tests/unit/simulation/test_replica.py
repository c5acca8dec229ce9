"""The simulated replica: equal to a plain scheduler that takes one step at a time, and right where theory knows.

Covered: every request's times against the plain scheduler (chunks, seats, blocks, preemption, shared prefix, random
lengths and arrivals), M/D/1, Little's law, percentiles, what is refused. Not covered: how far vLLM itself
is from either.
"""

from math import ceil
from random import Random
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.simulation.replica.arrivals import ClosedLoop, OpenLoop
from costpolicy.simulation.replica.outcome import distribution
from costpolicy.simulation.replica.requests import Lengths
from costpolicy.simulation.replica.run import Engine, Length, simulate
from costpolicy.simulation.replica.scheduler import Limits


def step_seconds(*, prompts, prompt_tokens, pairs, sequences, context):
    return 0.01 + 1e-3 * prompts + 1e-4 * prompt_tokens + 1e-7 * pairs + sequences * (1e-4 + 1e-6 * context)


class PlainScheduler:
    """One step at a time, one request at a time, blocks counted per request: slow and easy to read."""

    def __init__(self, limits):
        self.limits = limits
        self.waiting, self.running = [], []
        self.preemptions = 0
        self.blocks = limits.kv_cache_tokens // 16 - limits.shared_tokens // 16

    def free(self):
        return self.blocks - sum(request["blocks"] for request in self.running)

    def preempt(self):
        request = self.running.pop()
        request.update(computed=0, blocks=0, decoding=False)
        self.waiting.insert(0, request)
        self.preemptions += 1

    def make_room(self):
        """Give each decoding request a block for its next token, at the cost of the newest."""
        for request in [each for each in self.running if each["decoding"]]:
            while request in self.running and ceil(request["tokens"] / 16) - request["blocks"] > self.free():
                self.preempt()
            if request in self.running:
                request["blocks"] = ceil(request["tokens"] / 16)

    def next_prompt(self, now, admitting):
        """Return the request to prefill next: one already begun, else the first that waits."""
        for request in self.running:
            if not request["decoding"] and request["computed"] < request["tokens"]:
                return request
        if not admitting or not self.waiting or len(self.running) >= self.limits.max_num_seqs:
            return None
        if ceil(self.waiting[0]["tokens"] / 16) > self.free():
            return None
        request = self.waiting.pop(0)
        request["blocks"] = ceil(request["tokens"] / 16)
        request.setdefault("admitted", now)
        self.running.append(request)
        return request

    def step(self, now):
        before = self.preemptions
        self.make_room()
        served = [each for each in self.running if each["decoding"]]
        sequences, context = len(served), sum(each["computed"] for each in served)
        budget = self.limits.max_num_batched_tokens - sequences
        tokens = pairs = 0
        while tokens < budget and (request := self.next_prompt(now, self.preemptions == before)):
            chunk = min(budget - tokens, request["tokens"] - request["computed"])
            pairs += chunk * (self.limits.shared_tokens + request["computed"] + chunk / 2)
            request["computed"] += chunk
            tokens += chunk
            if request["computed"] == request["tokens"]:
                served.append(request)
        end = now + step_seconds(
            prompts=len(served) - sequences,
            prompt_tokens=tokens,
            pairs=pairs,
            sequences=sequences,
            context=context / max(1, sequences),
        )
        for request in served:
            self.token(request, end)
        return end

    def token(self, request, end):
        request.update(computed=request["tokens"], decoding=True)
        request["tokens"] += 1
        request["generated"] += 1
        request.setdefault("first_token", end)
        if request["generated"] == request["output"]:
            request["finished"] = end
            self.running.remove(request)


def plainly(limits, requests):
    """Serve (arrival, prompt, output) and return admission, first token and end of each."""
    todo = [
        {
            "arrival": arrival,
            "tokens": prompt,
            "output": output,
            "decoding": False,
            "computed": 0,
            "generated": 0,
            "blocks": 0,
        }
        for arrival, prompt, output in requests
    ]
    scheduler, upcoming, now = PlainScheduler(limits), list(todo), 0.0
    while upcoming or scheduler.waiting or scheduler.running:
        if not (scheduler.waiting or scheduler.running):
            now = max(now, upcoming[0]["arrival"])
        while upcoming and upcoming[0]["arrival"] <= now:
            scheduler.waiting.append(upcoming.pop(0))
        now = scheduler.step(now)
    return [[each["admitted"], each["first_token"], each["finished"]] for each in todo]


@given(
    st.integers(1, 12),
    st.sampled_from([16, 40, 300]),
    st.integers(26, 80),
    st.sampled_from([0, 64]),
    st.floats(0.5, 40),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.integers(0, 1000),
)
def test_every_request_is_served_as_by_a_scheduler_that_takes_one_step_at_a_time(
    seats, budget, blocks, shared, rate, cv, seed
):
    limits = Limits(
        max_num_seqs=seats,
        max_num_batched_tokens=budget,
        kv_cache_tokens=16 * blocks + shared,
        shared_tokens=shared,
    )
    lengths = Lengths(prompt_tokens=60, output_tokens=40, cv=cv, shared_tokens=shared, longest=400 + shared)
    replica = Engine(limits=limits, step_seconds=step_seconds)
    outcome = simulate(replica, lengths, OpenLoop(rate, cv), Length(requests=40, warm_up=0.0), Random(seed))

    # The same draws again, and those that went on arriving until the last of the forty was answered.
    generator, requests = Random(seed), []
    times = OpenLoop(rate, cv).arrivals(generator)
    end = max(request.finished for request in outcome.requests)
    while times.next() <= end:
        arrival = times.next()
        times.take()
        requests.append((arrival, *lengths.draw(generator)))
    expected = plainly(limits, requests)

    assert len(outcome.requests) == 40
    for request, plain in zip(outcome.requests, expected, strict=False):
        assert [request.admitted, request.first_token, request.finished] == pytest.approx(plain, rel=1e-6)


def engine(**settings):
    limits = {"max_num_seqs": 256, "max_num_batched_tokens": 2048, "kv_cache_tokens": 200_000} | settings
    return Engine(limits=Limits(**limits), step_seconds=step_seconds)


def test_one_seat_and_one_token_is_a_queue_with_a_single_server_and_constant_service():
    service = 0.01 + 1e-3 + 1e-4 * 100 + 1e-7 * 5000
    rate = 0.8 / service
    alone = Lengths(prompt_tokens=100, output_tokens=1)
    outcome = simulate(engine(max_num_seqs=1), alone, OpenLoop(rate), Length(requests=40_000), Random(3))
    # Pollaczek and Khinchine: utilisation times service over twice the idle share.
    assert outcome.queued().mean == pytest.approx(0.8 * service / (2 * 0.2), rel=0.1)
    assert outcome.ttft().mean - outcome.queued().mean == pytest.approx(service)


def test_requests_in_the_replica_are_the_rate_times_their_stay():
    lengths = Lengths(prompt_tokens=300, output_tokens=100, cv=0.5)
    outcome = simulate(engine(), lengths, OpenLoop(8.0), Length(requests=5000), Random(5))
    stay = sum(each.finished - each.arrival for each in outcome.requests) / len(outcome.requests)
    assert outcome.running + outcome.waiting == pytest.approx(8.0 * stay, rel=0.05)
    assert outcome.requests_per_second == pytest.approx(8.0, rel=0.05)


def test_burstier_arrivals_wait_longer():
    lengths = Lengths(prompt_tokens=900, output_tokens=20)
    even, random, bursty = (
        simulate(engine(), lengths, OpenLoop(6.0, cv), Length(requests=5000), Random(7)).ttft()
        for cv in (0.5, 1.0, 3.0)
    )
    assert even.mean < random.mean < bursty.mean
    assert even.p99 < random.p99 < bursty.p99


def test_clients_of_a_closed_loop_are_never_more_than_there_are():
    lengths = Lengths(prompt_tokens=300, output_tokens=100, cv=0.3)
    outcome = simulate(engine(), lengths, ClosedLoop(24), Length(requests=500), Random(1))
    assert outcome.running + outcome.waiting == pytest.approx(24.0, abs=1e-9)


def test_a_full_cache_preempts_and_the_gap_is_seen_between_tokens():
    lengths = Lengths(prompt_tokens=100, output_tokens=200)
    roomy, tight = (
        simulate(engine(kv_cache_tokens=size), lengths, ClosedLoop(8), Length(requests=200), Random(1))
        for size in (4000, 1600)
    )
    assert (0, True) == (roomy.preemptions, tight.preemptions > 0)
    assert tight.kv_utilization > 0.75 > roomy.kv_utilization
    assert tight.token_gap().p99 <= max(seconds for seconds, _ in tight.token_gaps)
    assert max(seconds for seconds, _ in tight.token_gaps) > 10 * tight.token_gap().p50


def test_a_shared_prefix_is_held_once_and_not_computed():
    shared = Lengths(prompt_tokens=100, output_tokens=100, shared_tokens=1600)
    whole = Lengths(prompt_tokens=1700, output_tokens=100)
    hits = simulate(engine(shared_tokens=1600), shared, ClosedLoop(1), Length(requests=200), Random(1))
    none = simulate(engine(), whole, ClosedLoop(1), Length(requests=200), Random(1))
    assert hits.ttft().mean < none.ttft().mean / 2
    assert hits.kv_utilization == pytest.approx((1600 + 150) / 200_000, rel=0.05)
    assert none.kv_utilization == pytest.approx(1750 / 200_000, rel=0.05)


def test_the_same_generator_gives_the_same_run():
    lengths = Lengths(prompt_tokens=300, output_tokens=100, cv=0.5)
    one, two, other = (
        simulate(engine(), lengths, OpenLoop(10.0), Length(requests=200), Random(seed)) for seed in (1, 1, 2)
    )
    assert one.ttft() == two.ttft() != other.ttft()


def test_drawn_lengths_and_gaps_have_the_mean_and_variation_asked_for():
    generator, lengths = Random(11), Lengths(prompt_tokens=400, output_tokens=200, cv=0.5)
    outputs = [lengths.draw(generator)[1] for _ in range(20_000)]
    arrivals = OpenLoop(4.0, 2.0).arrivals(generator)
    gaps = []
    for _ in range(20_000):
        before = arrivals.next()
        arrivals.take()
        gaps.append(arrivals.next() - before)
    for values, mean, cv in ((outputs, 200, 0.5), (gaps, 0.25, 2.0)):
        assert fmean(values) == pytest.approx(mean, rel=0.05)
        assert pstdev(values) / fmean(values) == pytest.approx(cv, rel=0.05)


def test_percentiles_are_values_that_occurred():
    found = distribution([(1.0, 50), (2.0, 45), (9.0, 4), (50.0, 1)])
    assert (1.0, 2.0, 9.0, 100) == (found.p50, found.p95, found.p99, found.count)
    assert found.mean == pytest.approx(2.26)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: OpenLoop(0.0), "a rate is positive"),
        (lambda: ClosedLoop(0), "at least one client"),
        (lambda: Lengths(prompt_tokens=0, output_tokens=1), "at least 1"),
        (lambda: Lengths(prompt_tokens=1, output_tokens=1, cv=-1.0), "must not be negative"),
        (lambda: Lengths(prompt_tokens=1, output_tokens=1, shared_tokens=99, longest=100), "no request fits"),
        (lambda: Length(requests=10, warm_up=1.0), "nothing is left"),
        (lambda: distribution([]), "no request was measured"),
        (lambda: engine(max_num_batched_tokens=128), "must not be below max_num_seqs"),
        (lambda: engine(kv_cache_tokens=100, shared_tokens=100), "hold no request"),
        (lambda: served(engine(shared_tokens=16)), "share 0 tokens, the engine 16"),
        (lambda: served(engine(kv_cache_tokens=3000)), "does not fit"),
    ],
)
def test_what_cannot_be_simulated_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def served(replica):
    lengths = Lengths(prompt_tokens=3000, output_tokens=100)
    return simulate(replica, lengths, ClosedLoop(1), Length(requests=2), Random(1))
