"""The fit: the constants of `perf.fitted` that bring predictions closest to published measurements.

Least squares on the logarithms of predicted over measured TTFT and inter-token latency (soft L1, so that a row that
contradicts physics pulls no more than its share), by scipy's trust-region method. The result is rounded to three
digits: what lies beyond them is noise (docs/reference/accuracy.md), and the same on every machine.
"""

from collections.abc import Sequence
from dataclasses import astuple, fields
from math import exp, log
from pathlib import Path

from scipy.optimize import least_squares

from costpolicy.perf import fitted as module
from costpolicy.perf.admission import outgrows
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.fitted import FITTED, Fitted
from costpolicy.perf.latency import Latency
from costpolicy.perf.service import Service, service
from measurements import Measured

TARGET = Path(module.__file__)
_MARK = "# Written by `make fit`.\n"
_INTER_TOKEN_WEIGHT = 1.0
"""Inter-token latency is measured more precisely than TTFT."""
_SOFT = 0.08
"""Errors (logarithms) beyond this count less than quadratically; the noise of one row is about 0.04."""
_DIGITS = 3


def fit(rows: Sequence[Measured], start: Fitted = FITTED) -> Fitted:
    """Return the constants that fit the rows best, searched from ``start``.

    Rows whose requests queue for KV cache are not used: their waits hinge on memory and not on speed.
    """
    used = [row for row in rows if not queues_for_cache(row)]

    def residuals(logarithms: Sequence[float]) -> list[float]:
        constants = Fitted(**dict(zip(_names(), map(exp, logarithms), strict=True)))
        return [error for row in used for error in _errors(row, constants)]

    found = least_squares(
        residuals, [log(value) for value in astuple(start)], loss="soft_l1", f_scale=_SOFT, diff_step=1e-3, x_scale=0.1
    )
    return Fitted(**{name: float(f"{exp(value):.{_DIGITS}g}") for name, value in zip(_names(), found.x, strict=True)})


def queues_for_cache(row: Measured) -> bool:
    """Tell whether a row's requests, grown to their ends, are more than its KV cache holds."""
    served = service(row.shape, row.workload)
    if not isinstance(served, Service):
        raise TypeError(f"{row.name}: {served}")
    return outgrows(served, row.workload, row.concurrency)


def rewritten(text: str, constants: Fitted) -> str:
    """Return the module's text with other values."""
    head, mark, _ = text.partition(_MARK)
    values = "".join(f"    {name}={value!r},\n" for name, value in zip(_names(), astuple(constants), strict=True))
    return f"{head}{mark}FITTED: Final = Fitted(\n{values})\n"


def _errors(row: Measured, constants: Fitted) -> tuple[float, float]:
    found = closed_loop(row.shape, row.workload, row.concurrency, row.rounds, constants)
    if not isinstance(found, Latency):
        raise TypeError(f"{row.name}: {found}")
    inter_token = log(found.inter_token.mean / row.inter_token)
    return log(found.ttft.mean / row.ttft), _INTER_TOKEN_WEIGHT * inter_token


def _names() -> list[str]:
    return [field.name for field in fields(Fitted)]
