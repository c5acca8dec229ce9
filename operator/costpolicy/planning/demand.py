"""What a policy has to serve: a rate of requests and their shape."""

from dataclasses import dataclass
from typing import Final, Literal

from costpolicy.api.policy import TrafficSpec

DemandSource = Literal["Observed", "Spec", "Assumed"]

ASSUMED_PROMPT_TOKENS: Final = 1000
ASSUMED_OUTPUT_TOKENS: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Offered load.  Token counts are means per request; ``cached_tokens`` of the prompt are prefix-cache hits.

    A ``requests_per_second`` of 0 means one request at a time: latency still has to be kept, capacity has not.
    """

    requests_per_second: float
    prompt_tokens: float
    output_tokens: float
    cached_tokens: float = 0.0
    source: DemandSource

    @property
    def assumed(self) -> bool:
        """Whether nobody stated or measured this traffic."""
        return self.source == "Assumed"


def expected_demand(traffic: TrafficSpec | None) -> Demand:
    """Return the demand that a policy states, or one request at a time of 1,000 + 250 tokens if it states none."""
    if traffic is None:
        return Demand(
            requests_per_second=0.0,
            prompt_tokens=ASSUMED_PROMPT_TOKENS,
            output_tokens=ASSUMED_OUTPUT_TOKENS,
            source="Assumed",
        )
    prompt = ASSUMED_PROMPT_TOKENS if traffic.prompt_tokens is None else traffic.prompt_tokens
    output = ASSUMED_OUTPUT_TOKENS if traffic.output_tokens is None else traffic.output_tokens
    return Demand(
        requests_per_second=traffic.requests_per_second or 0.0,
        prompt_tokens=prompt,
        output_tokens=output,
        cached_tokens=min(traffic.shared_prefix_tokens or 0, max(prompt - 1, 0)),
        source="Spec",
    )
