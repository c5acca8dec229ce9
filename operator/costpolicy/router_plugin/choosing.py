"""From a score to a tier."""

from .routes import Route, Tier


def tier_for(route: Route, score: float) -> Tier:
    """Return the first tier that is proven for a score, 0 to 1; the trusted one where none is."""
    for tier in route.tiers:
        if tier.below is not None and score < tier.below:
            return tier
    return route.trusted
