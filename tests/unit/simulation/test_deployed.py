"""Plain deployments: how many replicas, when they answer, what they cost.

Covered: the static deployment, the autoscaler's arithmetic, lost nodes, clients that come back.
Not covered: the operator beside them (tests/scenarios/test_shipped.py).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders import configuration, price_book
from costpolicy.catalog.prices import merge_books
from costpolicy.simulation.autoscaler import HorizontalPodAutoscaler, autoscaler
from costpolicy.simulation.deployed import Fixed, Service, Surroundings, deployed
from costpolicy.simulation.engine import Profile, Promise
from costpolicy.simulation.traffic import Constant, Retries, Steps, Traffic

START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
H100 = ("nvidia-h100-80gb", False)
PROFILE = Profile(step=0.01, step_per_request=0.0005, prefill_rate=20_000.0, max_running=256, load_time=4 * MINUTE)
SERVICE = Service(
    configuration=configuration(),
    engine=PROFILE,
    traffic=Traffic(curve=Constant(8.0)),
    promise=Promise(ttft=1.0),
)
AROUND = Surroundings(since=START, stock={H100: (8,)}, prices=merge_books([price_book()], START), slowness=timedelta(0))


def fixed(replicas: int) -> Fixed:
    return Fixed(replicas=replicas, interval=MINUTE)


def test_a_static_deployment_costs_its_accelerators_from_the_first_minute_and_answers_when_loaded():
    result = deployed(SERVICE, fixed(2), [AROUND], START + HOUR)

    assert "5.00" == result.cost.money().text(2)
    assert 3600 * 8 == pytest.approx(result.requests)
    assert pytest.approx(56 / 60, abs=0.001) == result.share


def test_the_fewest_replicas_keep_the_promise_and_one_fewer_do_not():
    rate = 3.5 * PROFILE.capacity(SERVICE.traffic)
    fewest = SERVICE.replicas_for(rate)

    assert SERVICE.alone(rate, fewest).ttft_p95 <= 1.0
    assert 4 == fewest


def test_replicas_of_a_lost_node_are_not_paid_for_and_load_again_when_it_is_back():
    gone = replace(AROUND, since=START + 20 * MINUTE, stock={})
    back = replace(AROUND, since=START + 40 * MINUTE)
    result = deployed(SERVICE, fixed(2), [AROUND, gone, back], START + HOUR)

    assert "3.33" == result.cost.money().text(2)
    assert pytest.approx(32 / 60, abs=0.001) == result.share


@pytest.mark.parametrize(
    ("ready", "asked", "in_flight", "wanted"),
    [(4, 4, 10.0, 4), (4, 4, 10.9, 4), (4, 4, 15.0, 6), (2, 4, 15.0, 4), (4, 4, 200.0, 8), (1, 1, 60.0, 5)],
)
def test_the_autoscaler_follows_the_documented_rule(ready: int, asked: int, in_flight: float, wanted: int):
    scaler = HorizontalPodAutoscaler(target=10.0, most=20)
    shown = PROFILE.reading(SERVICE.traffic, 1.0, 0.0)._replace(running=in_flight, waiting=0.0)

    assert wanted == scaler.wanted(START, ready, asked, shown)


def test_the_autoscaler_shrinks_only_to_the_most_that_was_desired_in_five_minutes():
    scaler = HorizontalPodAutoscaler(target=10.0, most=20)
    idle = PROFILE.reading(SERVICE.traffic, 0.0, 0.0)._replace(running=1.0)
    busy = idle._replace(running=10.0)
    wanted = [scaler.wanted(START, 6, 6, busy)]
    wanted += [scaler.wanted(START + minute * MINUTE, 6, 6, idle) for minute in range(1, 7)]

    assert [6, 6, 6, 6, 6, 1, 1] == wanted


def test_an_autoscaled_deployment_grows_with_the_load():
    traffic = Traffic(curve=Steps(((START, 5.0), (START + HOUR, 40.0))))
    service = replace(SERVICE, traffic=traffic)
    result = deployed(service, autoscaler(service, 8), [AROUND], START + 2 * HOUR)

    assert 1 < result.most_replicas <= 8


def test_clients_that_come_back_make_an_overload_worse():
    overloaded = replace(SERVICE.traffic, curve=Constant(1.5 * PROFILE.capacity(SERVICE.traffic)))
    patient = deployed(replace(SERVICE, traffic=overloaded), fixed(1), [AROUND], START + HOUR)
    insistent = replace(overloaded, retries=Retries(timeout=10.0, most=2))
    stormed = deployed(replace(SERVICE, traffic=insistent), fixed(1), [AROUND], START + HOUR)

    assert stormed.requests > 2 * patient.requests
