"""From recorded hours of what runs to corrections of the predictions for it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from costpolicy.api.measured import CalibrationStatus
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.source import Missing
from costpolicy.observe.window import LoadWindow
from costpolicy.perf.calibration import Comparison, calibrate
from costpolicy.perf.constants import KV_HEADROOM, MAX_THROUGHPUT_SHARE
from costpolicy.perf.latency import Latency
from costpolicy.perf.open_loop import open_loop
from costpolicy.perf.shape import EngineShape, Workload
from costpolicy.perf.uncertainty import uncertainty
from costpolicy.planning.basis import workload_of
from costpolicy.planning.calibration import CalibrationBook
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import Demand
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.sizing import supply_of
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.saturation import reached_saturation
from costpolicy.reconcile.snapshot import MetricsDown


def calibration_book(
    request: PlanRequest, stable: LiveVariant | None, observed: PolicyObservation | MetricsDown
) -> CalibrationBook | None:
    """Return what the stable variant showed; ``None`` without a measurement of it, or while it is not offered any more.

    A request that carries no calibration yet.
    """
    if stable is None or stable.configuration is None or isinstance(observed, MetricsDown):
        return None
    supply = supply_of(request, stable.configuration)
    windows = _comparable(stable.configuration, observed.windows.get(stable.hash, ()))
    reported = _reported_tokens(observed, stable.hash)
    saturated = stable.configuration.kernels in observed.saturations
    if supply is None or not (windows or reported or saturated):
        return None
    accelerator = supply.offering.accelerator
    replica = Evaluation(request).replica(stable.configuration, accelerator)
    shape, fit = replica.shape, replica.memory
    kv_factor = reported / fit.rank_tokens if reported and fit.fits else None
    as_it_is = replace(shape, kv_cache_factor=kv_factor or 1.0)
    reached = reached_saturation(as_it_is, stable.configuration.kernels, observed.saturations)
    return CalibrationBook(
        running=stable.configuration,
        family=accelerator.family,
        calibration=_calibrated(
            uncertainty(accelerator, shape.tensor_parallel_size, shape.data_parallel_size),
            _compared(shape, windows, reached),
            kv_factor,
            reached,
        ),
    )


def _comparable(configuration: Configuration, windows: tuple[LoadWindow, ...]) -> tuple[LoadWindow, ...]:
    """Return the windows without what is not measured as it is predicted.

    vLLM takes one sample of inter-token latency for each step, however many tokens it yields (0.11 to 0.33); predicted is
    the time per token.
    """
    if configuration.proposer is None:
        return windows
    return tuple(replace(window, inter_token=None) for window in windows)


def comparisons(
    shape: EngineShape, windows: Iterable[LoadWindow], reached: float | None = None
) -> Iterator[Comparison]:
    """Yield each window against the prediction for its own load.

    Left out are loads beyond what a plan would ask of a replica: near saturation latency says little about a factor.
    ``reached`` is the share of the predicted saturation at which it was seen to be saturated.
    """
    calm = min(reached or 1.0, 1.0) * MAX_THROUGHPUT_SHARE
    compared = (comparison(shape, window, calm) for window in windows)
    return (found for found in compared if found is not None)


@lru_cache(maxsize=1024)
def _compared(shape: EngineShape, windows: tuple[LoadWindow, ...], reached: float | None) -> tuple[Comparison, ...]:
    return tuple(comparisons(shape, windows, reached))


# Recorded hours are the same for half an hour, in which a policy is decided about some sixty times.
_calibrated: Final = lru_cache(maxsize=1024)(calibrate)


@lru_cache(maxsize=32_768)
def comparison(shape: EngineShape, window: LoadWindow, calm: float) -> Comparison | None:
    """Return one window against its prediction, or ``None`` where it is left out: beyond a share of saturation.

    Remembered, because a recorded hour stays as it is, and there are two dozen of them in each decision about a policy.
    """
    workload = workload_of(
        Demand(
            requests_per_second=window.requests_per_second,
            prompt_tokens=window.prompt_tokens,
            output_tokens=window.output_tokens,
            cached_tokens=window.cached_tokens,
            source="Observed",
        )
    )
    predicted = open_loop(shape, workload, window.requests_per_second)
    if not isinstance(predicted, Latency) or not _is_calm(predicted, shape, workload, calm):
        return None
    return Comparison(
        at=window.until,
        requests=window.requests,
        ttft=window.ttft / predicted.ttft.mean,
        inter_token=window.inter_token / predicted.inter_token.mean if window.inter_token else None,
    )


def _is_calm(predicted: Latency, shape: EngineShape, workload: Workload, calm: float) -> bool:
    """Return whether a load is clear of saturation and of the KV cache's end, as those of plans are."""
    if predicted.kv_utilization > KV_HEADROOM:
        return False
    beyond = open_loop(shape, workload, predicted.requests_per_second / calm)
    return isinstance(beyond, Latency)


def calibration_status(book: CalibrationBook | None) -> CalibrationStatus | None:
    """Return a calibration in the API's words, to two decimals, so that status stays still."""
    if book is None:
        return None
    known = book.calibration
    return CalibrationStatus(
        windows=known.samples,
        confidence=round(known.confidence, 2),
        ttft_factor=round(known.ttft.factor, 2),
        inter_token_factor=round(known.inter_token.factor, 2),
        ttft_margin=round(known.ttft.allowance, 2),
        inter_token_margin=round(known.inter_token.allowance, 2),
        kv_cache_factor=None if known.kv_factor is None else round(known.kv_factor, 2),
        saturation_factor=None if known.saturation is None else round(known.saturation, 2),
    )


def _reported_tokens(observed: PolicyObservation, variant: str) -> float | None:
    for seen in observed.variants:
        if seen.variant == variant and not isinstance(seen.kv_cache_size_tokens, Missing):
            return seen.kv_cache_size_tokens or None
    return None
