"""Tiers of models, what each has of the traffic, and what a million tokens cost over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from costpolicy.units import Money, parse_ratio

_FIELDS: Final = frozenset({"name", "perMillionTokens", "complexityBelow", "share"})


class TierError(ValueError):
    """Tiers are not as they must be; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One model.

    Attributes:
        price: of a million tokens.
        below: it has what scores below this and not below that of the tier before; None: all the rest.
        share: of the traffic's tokens.
    """

    name: str
    price: Money
    below: Fraction | None
    share: Fraction


def blended(tiers: Sequence[Tier]) -> Money:
    """Return what a million tokens of the traffic cost; shares sum to 1."""
    micros = sum((tier.share * tier.price.micros for tier in tiers), Fraction(0))
    return Money(round(micros))


def saving_against(tiers: Sequence[Tier], alone: Tier) -> Fraction | None:
    """Return the share saved against sending everything to one tier; negative if that is cheaper, None if it is free."""
    if not alone.price.micros:
        return None
    return 1 - Fraction(blended(tiers).micros, alone.price.micros)


def parse_tiers(document: Any) -> tuple[Tier, ...]:  # noqa: ANN401 - any JSON or YAML value
    """Read a list of tiers, from the one for the simplest prompts to the one for all the rest.

    Raises:
        TierError: a price is missing, thresholds do not rise, or shares do not sum to 1.
    """
    listed = document.get("tiers") if isinstance(document, dict) else document
    if not isinstance(listed, list) or len(listed) < 2:
        raise TierError("write two or more tiers, each with name, perMillionTokens, complexityBelow and share")
    tiers = tuple(_tier(index, given, last=index == len(listed)) for index, given in enumerate(listed, start=1))
    if len({tier.name for tier in tiers}) < len(tiers):
        raise TierError("two tiers have the same name")
    below = Fraction(0)
    for tier in tiers:
        if tier.below is not None and tier.below <= below:
            raise TierError(
                f"tier {tier.name}: complexityBelow is {float(tier.below):g} and must be more than {float(below):g}, "
                "that of the tier before: order tiers from the simplest prompts to the most complex"
            )
        below = below if tier.below is None else tier.below
    total = sum((tier.share for tier in tiers), Fraction(0))
    if total != 1:
        raise TierError(f"shares sum to {float(total):.2%} and must sum to 100%")
    return tiers


def _tier(index: int, given: Any, *, last: bool) -> Tier:  # noqa: ANN401 - any JSON or YAML value
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise TierError(f"tier {index}: write a name")
    name = given["name"]
    if unknown := sorted(map(str, given.keys() - _FIELDS)):
        raise TierError(f"tier {name}: {unknown[0]} is unknown: write {', '.join(sorted(_FIELDS))}")
    if "perMillionTokens" not in given:
        raise TierError(f"tier {name}: perMillionTokens is missing: without a price nothing can be compared")
    if last and "complexityBelow" in given:
        raise TierError(f"tier {name}: the last tier has all the rest: leave complexityBelow out")
    if not last and "complexityBelow" not in given:
        raise TierError(f"tier {name}: complexityBelow is missing: only the last tier goes without")
    try:
        return Tier(
            name=name,
            price=Money.parse(str(given["perMillionTokens"])),
            below=None if last else parse_ratio(str(given["complexityBelow"])),
            share=parse_ratio(str(given.get("share"))),
        )
    except ValueError as error:
        raise TierError(f"tier {name}: {error}") from error
