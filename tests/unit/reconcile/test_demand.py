"""From what is observed to the demand that is planned for.

Covered: a queue counts for replicas and not for the configuration; engines that are not scraped.
Not covered: how observations are made (tests/contract/observe).
"""

from dataclasses import replace

from builders import policy
from costpolicy.reconcile.demand import demands

SPEC = policy(traffic={"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}).spec


def queueing(observation, waiting: float):
    (variant,) = observation.variants
    return replace(observation, variants=(replace(variant, waiting=waiting),))


def test_what_queues_is_served_within_five_minutes_beside_what_arrives(measured):
    found = demands(SPEC, queueing(measured(3.0), 600.0))

    assert 5.0 == found.now.requests_per_second
    assert 3.0 == found.planning.requests_per_second


def test_without_a_queue_the_demand_is_what_arrives(measured):
    assert 3.0 == demands(SPEC, measured(3.0)).now.requests_per_second


def test_while_ready_engines_are_not_scraped_the_load_is_doubtful(measured):
    (variant,) = measured(3.0).variants
    two_scraped = replace(measured(3.0), variants=(replace(variant, pods_up=2),))

    assert not demands(SPEC, two_scraped, ready=2).doubtful
    assert demands(SPEC, two_scraped, ready=3).doubtful
