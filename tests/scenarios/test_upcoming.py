"""What ``costpolicy top --upcoming`` announces is what then happens.

Covered: a better plan in a window after a price drop.  Not covered: single announcements (tests/unit/rollout).
"""

from costpolicy.api.types import RolloutMode
from costpolicy.rollout.upcoming import upcoming
from stories import H100, KEY, MINUTE, QUARTER, prices, runs_on, serving


def test_a_change_begins_at_the_announced_time_and_not_before():
    window = {"schedule": "0 10 * * *", "duration": "1h"}
    made = serving(rollout={"mode": "Auto", "maintenanceWindows": [window]})
    made.apply(prices(h100="1.20"))
    made.run(QUARTER)

    [announced] = upcoming(made.gateway.policy(*KEY), RolloutMode.INITIAL, made.clock.now())
    assert announced.at is not None
    assert "10:00" == f"{announced.at:%H:%M}"
    assert "0.66" == announced.saves_an_hour.text(2)

    made.run(announced.at - made.clock.now() - MINUTE)
    assert 1 == len(runs_on(made))
    made.run(3 * MINUTE)
    assert (H100, 1) in runs_on(made)
