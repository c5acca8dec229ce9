"""Start and stop of engines.

Covered: the startup budget's arithmetic, and that the parts of the grace period add up.
Not covered: how long real loads take.
"""

from datetime import timedelta

from builders import policy, variant_inputs
from costpolicy.manifests.timing import EXIT_MARGIN, PRE_STOP_SLEEP, drain_of, startup_budget
from costpolicy.manifests.variant import render_variant
from costpolicy.units import GIB

HUB = policy().spec.model.source
CLAIM = policy(model={"source": {"huggingFace": None, "volume": {"claimName": "models"}}}).spec.model.source


def test_a_download_takes_longer_than_a_disk():
    # 140 GiB: 956 s from disk at 150 MiB/s, 2,868 s more from the hub at 50 MiB/s, 8 min to start; whole
    # minutes.
    assert timedelta(minutes=24) == startup_budget(140 * GIB, CLAIM)
    assert timedelta(minutes=72) == startup_budget(140 * GIB, HUB)


def test_a_small_model_has_the_time_that_every_engine_needs():
    assert timedelta(minutes=9) == startup_budget(GIB, CLAIM)


def test_the_startup_probe_lasts_the_whole_budget():
    deployment = render_variant(variant_inputs(startup_budget=timedelta(seconds=61))).deployment
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["startupProbe"]

    assert 65 == probe["periodSeconds"] * probe["failureThreshold"]
    assert 61 < deployment["spec"]["progressDeadlineSeconds"]


def test_sleep_drain_and_margin_make_up_the_grace_period():
    grace = timedelta(seconds=120)

    assert grace == PRE_STOP_SLEEP + drain_of(grace) + EXIT_MARGIN
    assert timedelta(0) == drain_of(timedelta(seconds=1))
