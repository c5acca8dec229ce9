"""The load of engines that serve and are not scraped.

Covered: which engines count, the estimate, when there is none.
Not covered: a day of it (the scenario half-the-engines).
"""

from dataclasses import replace
from datetime import timedelta

from costpolicy.kube.gateway import VARIANT_LABEL, Pod
from costpolicy.reconcile.unscraped import scrapable, with_unscraped
from staging import START

WINDOW = timedelta(minutes=5)
YOUNG = START - WINDOW + timedelta(seconds=1)
OLD = START - WINDOW


def pod(since, *, terminating: bool = False) -> Pod:
    return Pod(
        name="one",
        namespace="default",
        labels={VARIANT_LABEL: "0000000000"},
        node="node",
        phase="Running",
        ready=since is not None,
        terminating=terminating,
        restarts=0,
        requests={},
        ready_since=since,
    )


def seen(observation, pods_up: int, **figures):
    (variant,) = observation.variants
    return replace(observation, variants=(replace(variant, pods_up=pods_up, **figures),))


def test_an_engine_can_be_scraped_once_it_has_been_ready_for_the_window_of_rates():
    pods = [pod(OLD), pod(YOUNG), pod(None), pod(OLD, terminating=True)]

    assert {"0000000000": 1} == scrapable(pods, START, WINDOW)


def test_engines_that_are_not_scraped_are_asked_what_the_others_are(measured):
    found = with_unscraped(seen(measured(3.0), 2, waiting=10.0), {"0000000000": 5})

    assert 7.5 == found.requests_per_second
    assert 25.0 == found.waiting


def test_where_all_engines_are_scraped_nothing_is_added(measured):
    observed = seen(measured(3.0), 5)

    assert with_unscraped(observed, {"0000000000": 4}) is observed


def test_of_a_variant_that_nothing_is_seen_of_nothing_is_guessed(measured):
    observed = seen(measured(3.0), 0)

    assert with_unscraped(observed, {"0000000000": 4}) is observed
