"""What compression took out of one request, and how much of it the tier's prefix cache would have had.

A shortened message is the same whenever what stands before it is, so a beginning that is cached shortened would have been
cached as it came.  What was left out of it was a hit; what was left out behind it would have been computed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Removed(NamedTuple):
    """Tokens that were left out: computed otherwise, found in the cache otherwise, or nobody knows which."""

    missed: int = 0
    hit: int = 0
    unknown: int = 0


class Removal(NamedTuple):
    """Attributes: ``sent`` is the request's length in characters; ``cuts`` are places in it and what is missing in each."""

    sent: int
    cuts: tuple[tuple[int, int], ...]

    @property
    def characters(self) -> int:
        """What is missing in all."""
        return sum(missing for _, missing in self.cuts)

    def tokens(self, prompt: int, cached: int | None) -> Removed:
        """Return it in tokens, by the characters that a token of this request has.

        Args:
            prompt: tokens of the request as it was sent.
            cached: those of them that came from the cache; ``None``: the tier does not say.
        """
        if cached is None:
            return Removed(unknown=self._tokens(self.characters, prompt))
        known = self.sent * cached // prompt if prompt else 0
        hit = sum(missing for place, missing in self.cuts if place < known)
        return Removed(missed=self._tokens(self.characters - hit, prompt), hit=self._tokens(hit, prompt))

    def _tokens(self, characters: int, prompt: int) -> int:
        return round(characters * prompt / self.sent) if self.sent else 0


def removal(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], tools: object) -> Removal | None:
    """Return what was taken out of the messages of a request; ``None``: nothing.

    Lengths are those of the JSON, tools included: it is longer than what templates make of it, so tokens are rather too few.
    """
    if all(came is sent for came, sent in zip(before, after, strict=True)):
        return None
    place = _length(tools) if tools else 0
    cuts = []
    for came, sent in zip(before, after, strict=True):
        if came is not sent:
            missing = _length(came) - _length(sent)
            cuts += [(place, missing)] if missing else []
        place += _length(sent)
    return Removal(sent=place, cuts=tuple(cuts)) if cuts else None


def _length(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str))
