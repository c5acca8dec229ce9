"""What a status remembers of Spot capacity that was lost."""

from typing import Annotated

from costpolicy.api.figures import Whole
from costpolicy.api.model import ObservedModel
from costpolicy.api.rules import Bounds
from costpolicy.api.types import Timestamp


class StandbyStatus(ObservedModel):
    """Spot replicas that are lost, or were within the last day; replicas on demand stand in for them."""

    lost: Whole
    """Spot replicas that have no node, or one that is gone or about to go."""
    changed_at: Timestamp
    """When that number changed last; replicas on demand go after a calm period from then."""
    begun_at: Timestamp
    """When this loss began."""
    times: Annotated[int, Bounds(1, 1000)] = 1
    """How often Spot was lost, each time within a day of the last; each one doubles the calm period."""
