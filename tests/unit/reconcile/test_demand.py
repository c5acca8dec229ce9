"""From what is observed to the demand that is planned for.

Covered: a queue counts for replicas and not for the configuration; engines that are not scraped; requests that are longer on
other hours of the day.
Not covered: how observations are made (tests/contract/observe).
"""

from dataclasses import replace

from builders import policy
from costpolicy.api.reasons import Reason
from costpolicy.observe.shapes import RequestShape
from costpolicy.observe.source import Missing
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


NIGHT = RequestShape(prompt_tokens=4000.0, computed_tokens=3500.0, output_tokens=50.0)


def test_a_configuration_is_chosen_for_requests_as_long_as_over_days_and_replicas_for_those_of_now(measured):
    found = demands(SPEC, replace(measured(3.0), shape_over_days=NIGHT))

    assert (1000.0, 250.0, 0.0) == (found.now.prompt_tokens, found.now.output_tokens, found.now.cached_tokens)
    planned = found.planning
    assert (4000.0, 250.0, 500.0) == (planned.prompt_tokens, planned.output_tokens, planned.cached_tokens)


def test_a_prefix_that_hours_did_not_share_is_not_counted_on(measured):
    (variant,) = measured(3.0).variants
    sharing = replace(measured(3.0), variants=(replace(variant, prefix_hit_ratio=0.9),))
    alone = RequestShape(prompt_tokens=1000.0, computed_tokens=800.0, output_tokens=250.0)
    found = demands(SPEC, replace(sharing, shape_over_days=alone))

    assert (900.0, 200.0) == (found.now.cached_tokens, found.planning.cached_tokens)


def test_a_quiet_hour_is_planned_for_as_days_were_and_not_as_was_expected(measured):
    (variant,) = measured(0.0).variants
    absent = Missing(reason=Reason.NO_TRAFFIC, message="nobody asked")
    quiet = replace(variant, prompt_tokens=absent, output_tokens=absent)
    found = demands(
        SPEC,
        replace(measured(0.0), variants=(quiet,), requests_per_second_p95=3.0, shape_over_days=NIGHT),
    )

    assert (4000.0, 50.0) == (found.planning.prompt_tokens, found.planning.output_tokens)
    assert (1000.0, 250.0) == (found.now.prompt_tokens, found.now.output_tokens)
