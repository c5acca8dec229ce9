"""Observations for tests of decisions."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from builders import offering, policy
from costpolicy.api.reasons import Reason
from costpolicy.observe.latency import Tail
from costpolicy.observe.observation import PolicyObservation, VariantObservation
from costpolicy.observe.source import Missing
from gating import Gate, spec
from staging import START, Stage

UNKNOWN = Missing(reason=Reason.NO_SAMPLES, message="not part of this test")


@pytest.fixture
def measured() -> Callable[[float], PolicyObservation]:
    """An observation with a rate of requests of 1,000 + 250 tokens, served well."""

    def observation(rate: float) -> PolicyObservation:
        variant = VariantObservation(
            namespace="default",
            policy="chat",
            variant="0000000000",
            requests_per_second=rate,
            finished_per_second={},
            prompt_tokens=1000.0,
            output_tokens=250.0,
            cached_tokens=0.0,
            prefix_hit_ratio=0.0,
            generated_tokens_per_second=250.0 * rate,
            ttft_p50=0.1,
            ttft=Tail(value=0.2, lower=0.1, upper=0.25),
            inter_token=Tail(value=0.03, lower=0.025, upper=0.05),
            request_inter_token=UNKNOWN,
            waiting=0.0,
            running=1.0,
            kv_cache_usage=0.1,
            kv_cache_size_tokens=UNKNOWN,
            preemptions_per_second=0.0,
            pods_up=100,  # however many there are, all are scraped
            last_sample=START,
            fresh=True,
            accelerators={},
            cost_per_hour=UNKNOWN,
        )
        return PolicyObservation(
            namespace="default",
            policy="chat",
            variants=(variant,),
            requests_per_second_p95=rate,
            span=timedelta(days=7),
        )

    return observation


@pytest.fixture
def gate(measured) -> Gate:
    stage = Stage(
        policy(**spec()),
        offerings=(offering("nvidia-l40s", "1.86"),),
        observed=measured(5.0),
        evaluator_image="registry.example/operator:1",
    )
    made = Gate(stage)
    made.settle()
    return made
