"""How long a prompt waits in an engine that requests reach at random, while seats and the token budget suffice.

As many prompts come in each step as answers end in it, ``decoding / decode_steps``, whatever a step takes: so it is known
how many share a step before it is known how long the step is, and nothing has to be iterated.  Prompts that share one read
the same weights, of a mixture the same experts, and data-parallel ranks compute one each at the same time.  So the first
prompt of a step takes more than each further one, and only these make a step longer for having been long before.
"""

from math import exp
from typing import NamedTuple

from costpolicy.perf import constants
from costpolicy.perf.ranks import together
from costpolicy.perf.service import Service

_COMPANY = 0.1
"""Prompts of a step beyond one's own by which it is asked at least what one more of them takes."""


class ArrivalWait(NamedTuple):
    """How long a request waits from arrival to the end of its prefill (``total``), and what that is made of.

    All in seconds but ``share``: by how many seconds a step is longer if the one before it was longer by one.
    ``steady`` is the part of a step that does not vary with the number of its prompts, ``alone`` what a prompt adds
    without others, ``more`` what each further one does, ``busy`` the step that an arrival meets (length-biased:
    E[T^2] / E[T]).
    """

    total: float
    steady: float
    alone: float
    more: float
    busy: float
    share: float


def sharing(served: Service, decoding: float) -> float:
    """Return how many prompts share a step with a prompt, itself included, while so many requests decode.

    At most as many as fill the token budget of the fullest rank.
    """
    return min(_most(served), 1.0 + decoding / served.decode_steps)


def arrival_wait(served: Service, rate: float, decoding: float) -> ArrivalWait:
    """Return the wait of prompts that come at ``rate`` a second while ``decoding`` requests decode.

    A prompt waits for half of the step that it meets (gated service), then for its own step and for half of the prompts
    that arrived beside it.  A step has Poisson many prompts, of which the first adds more than the others.
    """
    decode_step, most = served.decode_step(decoding), served.prompts_per_step
    alone, more, each = _prefills(served, decoding, decode_step)
    share = min(rate * more, constants.PREFILL_SHARE_CAP)
    arriving = min(most, decoding / served.decode_steps)
    step = decode_step + arriving * each
    first, none = max(0.0, alone - more), exp(-arriving)
    variance = first * none * (first * (1.0 - none) + 2.0 * more * arriving) + more * more * arriving
    gated = step + variance / (step * (1.0 - share * share))
    busy = min(gated, decode_step + alone + (most - 1.0) * more)
    beside = min(rate * busy, most - 1.0 + rate * busy / 2.0)
    total = busy / 2.0 + served.chunks * decode_step + alone + more * beside * (1.0 + 1.0 / most) / 2.0
    return ArrivalWait(total, decode_step + first * (1.0 - none), alone, more, busy, share)


def _prefills(served: Service, decoding: float, decode_step: float) -> tuple[float, float, float]:
    """Return the seconds that a prompt adds to a step without others, that each further one does, and that each of those
    that share a step does on average.
    """
    alone, prompts = served.prefill(1.0, decoding, decode_step), sharing(served, decoding)
    each = served.prefill(prompts, decoding, decode_step)
    some = min(_most(served), max(prompts, 1.0 + _COMPANY))
    if some == 1.0:
        return alone, each, each
    together_each = each if some == prompts else served.prefill(some, decoding, decode_step)
    return alone, (some * together_each - alone) / (some - 1.0), each


def _most(served: Service) -> float:
    ranks = served.cost.ranks
    return together(max(1.0, served.prompts_per_step / ranks), ranks)
