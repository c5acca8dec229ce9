"""Closed loops whose requests outgrow the KV cache: who waits before, and who after the first token.

Covered: when the loop is played at all, where waits fall, their growth with the crowd, seats that are fewer than the
cache's, who counts as running, the published rows that queue for cache. Not covered: prefix-cache hits of preempted requests.
"""

from dataclasses import replace

import pytest

import measurements
from costpolicy.perf.admission import outgrows, played
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.service import Service, service
from costpolicy.perf.shape import Workload

LONG_PROMPTS = Workload(prompt_tokens=7400, output_tokens=900, length_cv=0.06)
LONG_ANSWERS = Workload(prompt_tokens=900, output_tokens=7400, length_cv=0.06)
LIMITS = 1024, 8192


def served(shapes, workload: Workload) -> Service:
    found = service(shapes("meta-llama/Llama-3.1-70B", ranks=2, weights="fp8", max_model_len=16384), workload)
    assert isinstance(found, Service)
    return found


def test_requests_that_fit_when_they_are_grown_need_no_play(shapes):
    loop = served(shapes, LONG_PROMPTS)
    assert not outgrows(loop, LONG_PROMPTS, 24)
    assert outgrows(loop, LONG_PROMPTS, 40)


def test_long_prompts_wait_before_their_first_token(shapes):
    found = played(served(shapes, LONG_PROMPTS), LONG_PROMPTS, 64, LIMITS)
    assert found.steady_wait > 20 > 10 * found.stalled


def test_long_answers_are_all_admitted_at_first_and_thrown_out_later(shapes):
    found = played(served(shapes, LONG_ANSWERS), LONG_ANSWERS, 64, LIMITS)
    assert found.first_wait < 0.1
    assert found.stalled > found.steady_wait


def test_no_more_run_than_the_cache_holds_at_half_their_growth_and_a_tenth(shapes):
    for workload in (LONG_PROMPTS, LONG_ANSWERS):
        loop = served(shapes, workload)
        assert 0.7 * loop.kv_seats < played(loop, workload, 96, LIMITS).running <= loop.kv_seats


def test_each_client_more_only_lengthens_the_queue(shapes):
    loop = served(shapes, LONG_PROMPTS)
    waits = [played(loop, LONG_PROMPTS, clients, LIMITS).steady_wait for clients in (200, 400, 600)]
    assert waits[2] - waits[1] == pytest.approx(waits[1] - waits[0], rel=1e-6)


def test_who_is_kept_out_by_max_num_seqs_waits_before_the_first_token_too(shapes):
    loop, seats = served(shapes, LONG_PROMPTS), 8
    found = played(loop, LONG_PROMPTS, 64, (seats, 8192))
    assert found.running <= seats
    turns = 64 / seats - 1.0
    assert found.steady_wait > 0.8 * turns * loop.decode_steps * loop.decode_step(seats)


def test_all_clients_run_to_the_end_where_the_cache_just_holds_them(shapes):
    varied = replace(LONG_ANSWERS, prompt_tokens=740, output_tokens=90, length_cv=1.0)
    loop = served(shapes, varied)
    clients = round(0.8 * loop.kv_seats)
    found = played(loop, varied, clients, LIMITS)
    assert found.steady_wait < 0.01
    assert found.running == pytest.approx(clients, rel=0.02)


def test_a_request_that_stands_for_several_waits_as_they_do(shapes):
    small = LONG_PROMPTS, 100  # each for itself
    many = replace(LONG_PROMPTS, prompt_tokens=740, output_tokens=90), 1000  # each for several
    relative = []
    for workload, clients in (small, many):
        loop = served(shapes, workload)
        relative.append(played(loop, workload, clients, LIMITS).running / loop.kv_seats)
    assert relative[0] == pytest.approx(relative[1], rel=0.1)


def test_published_rows_that_queue_for_cache_are_within_a_third():
    rows = [row for row in measurements.published() if row.ttft > 5]
    assert len(rows) == 4
    for row in rows:
        found = closed_loop(row.shape, row.workload, row.concurrency, row.rounds)
        assert 0.67 < found.ttft.mean / row.ttft < 1.5, row.name
