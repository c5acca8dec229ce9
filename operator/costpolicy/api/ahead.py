"""What a status says of the minutes to come."""

from costpolicy.api.figures import Real, Whole
from costpolicy.api.model import ObservedModel


class AheadStatus(ObservedModel):
    """A rise that the days before had at this time: what serves gets the replicas for it before it comes."""

    requests_per_second: Real
    """Rate that is expected, in two digits."""
    within_minutes: Whole
    """Time within which it is expected: no shorter than replicas take to start."""
    replicas: Whole
    """Replicas that it needs, as far as bounds, budget and stock allow."""
