"""What a status remembers of Spot capacity that was lost."""

from costpolicy.api.figures import Whole
from costpolicy.api.model import ObservedModel
from costpolicy.api.types import Timestamp


class StandbyStatus(ObservedModel):
    """Spot replicas that are lost; replicas on demand stand in for them."""

    lost: Whole
    """Spot replicas that have no node, or one that is gone or about to go."""
    changed_at: Timestamp
    """When that number changed last; replicas on demand go after a calm period from then."""
    begun_at: Timestamp
    """When the first of them was lost."""
