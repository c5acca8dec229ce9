"""From scores to a tier."""

from collections.abc import Callable

from .routes import Route, Tier


def tier_for(route: Route, score: Callable[[str], float | None]) -> Tier:
    """Return the first tier that is proven for a prompt; the trusted one where none is.

    Args:
        route: what was asked for.
        score: the prompt's, 0 to 1, by the name of the coefficients' file; ``None``: those cannot be read.
    """
    for tier in route.tiers:
        if tier.below is not None and (found := score(tier.coefficients)) is not None and found < tier.below:
            return tier
    return route.trusted
