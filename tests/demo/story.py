"""The demo's steps in their order; what takes long begins early and is looked at late.

The load on the small model grows while the large one is planned, and falls at once.
"""

from demo import advice, large_model, live_load, operator, real_engine, savings, small_model
from demo.traffic import traffic
from demo.world import World


def tell(world: World) -> None:
    """Go through every step.

    Raises:
        StepFailedError: a step did not hold.
    """
    operator.runs(world)
    real_engine.starts(world)
    small_model.is_planned(world)
    with traffic(world, small_model.POLICY, small_model.MODEL) as clients:
        before = live_load.begins(world, clients)
        # Before the load moves: a playbook that was made of another one lasts for an hour.
        savings.are_in_the_playbook(world)
        clients.grow(live_load.BUSY)
        large_model.is_planned(world)
        large_model.accepts_int8(world)
        advised = advice.is_given(world)
        large_model.keeps_more_for_its_full_context(world)
        live_load.rises(world, before)
        real_engine.answers(world)
        live_load.keeps_its_promise(world)
        clients.load(live_load.CALM)
        live_load.falls(world, before)
    advice.has_changed_nothing(world, advised)
