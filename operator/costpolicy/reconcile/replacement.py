"""How many replicas of another configuration replace what serves."""

import math
from typing import Final

from costpolicy.planning.configuration import Configuration
from costpolicy.planning.plan import Target
from costpolicy.reconcile.autoscaling import autoscaling_of
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook

_ROUNDING: Final = 1e-9
"""A division that ends a hair above a whole number asks for no further replica."""


def replacing(outlook: Outlook, stable: LiveVariant, configuration: Configuration, trigger: str) -> int:
    """Return how many replicas of a configuration the load needs.

    As many as carry what the old ones carry, where nothing counts the requests any more because those went, and where an
    autoscaler says how many that are: it moves to the new variant, and must not find fewer.
    """
    asked = outlook.sized(configuration, outlook.demands.now)
    wanted = asked.replicas if isinstance(asked, Target) else stable.replicas
    carried = autoscaling_of(outlook.snapshot).carried_by(stable)
    if trigger == "OutOfStock":
        carried = max(carried, stable.replicas)
    if not carried or stable.configuration is None:
        return wanted
    before, each = outlook.capacity(stable.configuration), outlook.capacity(configuration)
    return max(wanted, math.ceil(carried * (before / each) - _ROUNDING)) if before and each else wanted
