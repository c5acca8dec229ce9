"""What compression saved in a day: tokens that were left out, less those that the prefix cache would have had."""

from dataclasses import dataclass
from fractions import Fraction

from costpolicy.api.missing import Missing
from costpolicy.api.model_route_status import CompressionSavings
from costpolicy.api.reasons import Reason
from costpolicy.observe.routes import RouteTraffic, TierTokens
from costpolicy.reconcile.routes.compression import Compressing


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedShares:
    """Shares of the prompt tokens that the trusted tier would have had.

    Attributes:
        removed: left out.
        hits_lost: left out and found in the prefix cache otherwise, or why that is not known.
        net: left out and computed otherwise, likewise.
    """

    removed: Fraction
    hits_lost: Fraction | Missing
    net: Fraction | Missing


def removed_shares(traffic: RouteTraffic | None, trusted: str) -> RemovedShares | Missing:
    """Return what was left out in a day; nothing left out saves nothing that could be measured.

    Args:
        traffic: of a day; ``None``: it is not known.
        trusted: the tier that compressed requests go to.
    """
    if traffic is None or not traffic.removed.total:
        return Missing(reason=Reason.NO_TRAFFIC, message="nothing was left out of a prompt in the last day")
    removed = traffic.removed
    prompt = traffic.tokens.get(trusted, TierTokens()).prompt + removed.total
    if removed.unknown:
        silent = Missing(
            reason=Reason.NO_SAMPLES,
            message=f"tier {trusted} does not tell which tokens came from its prefix cache (usage.prompt_tokens_details); "
            "vLLM tells with --enable-prompt-tokens-details",
        )
        return RemovedShares(removed=Fraction(removed.total, prompt), hits_lost=silent, net=silent)
    return RemovedShares(
        removed=Fraction(removed.total, prompt),
        hits_lost=Fraction(removed.hit, prompt),
        net=Fraction(removed.missed, prompt),
    )


def compression_savings(compressing: Compressing | None, found: RemovedShares | Missing) -> CompressionSavings | None:
    """Return what status says of it, in whole per cent so that it does not flutter; ``None``: the route does not compress."""
    if compressing is None:
        return None
    if compressing.problem is not None and isinstance(found, Missing):
        return None
    if isinstance(found, Missing):
        return CompressionSavings(why_not=found.message)
    return CompressionSavings(
        removed=_percent(found.removed),
        cache_hits_lost=_percent(found.hits_lost),
        net=_percent(found.net),
        why_not=found.net.message if isinstance(found.net, Missing) else "",
    )


def _percent(share: Fraction | Missing) -> str:
    return "" if isinstance(share, Missing) else f"{float(share):.0%}"
