"""What was paid and served in a span of time."""

from dataclasses import dataclass
from fractions import Fraction

from costpolicy.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Totals of a span of time.

    Attributes:
        requests, prompt_tokens, output_tokens: what was served; Prometheus extrapolates, so they may be
        fractions. quality: score of the answers, higher is better; None where nothing was evaluated.
        cost_at_baseline_prices: what the same accelerators would have cost at the prices of the baseline; None if that is
        not known.
        hours: the hours that the totals were added up from, in order; empty if only totals were given.
    """

    total_cost: Money
    requests: Fraction
    prompt_tokens: Fraction
    output_tokens: Fraction
    quality: Fraction | None = None
    cost_at_baseline_prices: Money | None = None
    hours: tuple["Window", ...] = ()

    @property
    def cost_per_request(self) -> Fraction | None:
        """Micro-units per request; None without requests."""
        return self.total_cost.micros / self.requests if self.requests else None

    @property
    def cost_per_request_at_baseline_prices(self) -> Fraction | None:
        """The same at the prices of the baseline, where they are known; else at those that were paid."""
        cost = self.total_cost if self.cost_at_baseline_prices is None else self.cost_at_baseline_prices
        return cost.micros / self.requests if self.requests else None

    @property
    def tokens_per_unit(self) -> Fraction | None:
        """Tokens, prompt and output, per micro-unit; None if nothing was paid."""
        tokens = self.prompt_tokens + self.output_tokens
        return tokens / self.total_cost.micros if self.total_cost.micros else None
