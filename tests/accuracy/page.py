"""The page of errors, docs/reference/accuracy.md: made from tests/data/measurements, nothing written by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from statistics import fmean, pstdev

import measurements
from accuracy import decided
from accuracy.errors import Error, Predicted, cross_validated, groups, inter_token, left_out, predict, ttft
from accuracy.fitting import fit, queues_for_cache
from costpolicy.api.types import WeightFormat
from costpolicy.perf.fitted import FITTED, Fitted
from costpolicy.perf.memory import memory_fit
from measurements import Measured

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "accuracy.md"
_REPEATS = 5

_HEAD = """\
# Accuracy of the predictions

<!-- Made by `make accuracy`; do not edit. -->

Errors are mean absolute / median absolute / mean signed relative errors, predicted against measured.
Published rows are closed loops of vLLM 0.11 to 0.19 (means); own rows are vLLM 0.25.1, one run each with 5 to 10 % noise
(medians); what they are and where from: `tests/data/measurements/README.md`.
How long a benchmark ran and how it drew lengths are inputs of the comparison and no part of the model of a live service.
"""

_ROWS = """
| Rows | TTFT | Inter-token latency | Count |
|---|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    rows = measurements.published()
    unseen = cross_validated(rows, _REPEATS)
    sections = (
        _HEAD,
        _section("Rows that the fit did not see", _unseen(rows, unseen)),
        _section("By accelerator, model and format", _parts(rows)),
        _section("Our own rows, of which nothing was fitted", _own()),
        _queued(rows),
        decided.section([unseen[index * len(rows) : (index + 1) * len(rows)] for index in range(_REPEATS)]),
        _constants(rows),
        _noise(rows),
    )
    return "".join(sections)


def _section(title: str, lines: Iterator[str]) -> str:
    return f"\n## {title}\n{_ROWS}{''.join(lines)}"


def _unseen(rows: Sequence[Measured], unseen: Sequence[Predicted]) -> Iterator[str]:
    yield _row(f"five folds, {_REPEATS} draws", unseen)
    for title, key in (
        ("accelerator", _accelerator),
        ("model", _model),
    ):
        for name, _ in groups(rows, key):
            yield _row(f"{title} left out: {name}", left_out(rows, key, name))


def _parts(rows: Sequence[Measured]) -> Iterator[str]:
    yield _row("all, seen by the fit", predict(rows))
    for key in (_accelerator, _model_and_format, _ranks, _lengths):
        for name, part in groups(rows, key):
            yield _row(name, predict(part))
    fp8 = [row for row in rows if row.shape.weights is WeightFormat.FP8]
    for clients in (16, 32, 64):
        yield _row(f"fp8, {clients} clients", predict([row for row in fp8 if row.concurrency == clients]))


def _own() -> Iterator[str]:
    closed = [row for row in measurements.own() if row.concurrency]
    yield _row("closed loops", predict(closed))
    yield _row("closed loops to 64 clients", predict([row for row in closed if row.concurrency <= 64]))
    for name, part in groups(closed, lambda row: f"{_accelerator(row)}, {_model_and_format(row)}"):
        yield _row(name, predict(part))


def _queued(rows: Sequence[Measured]) -> str:
    found = predict([row for row in rows if queues_for_cache(row) and row.ttft > 1])
    lines = "".join(
        f"| {one.row.name} | {one.row.ttft:.1f} s | {one.latency.ttft.mean / one.row.ttft:.2f} "
        f"| {one.latency.inter_token.mean / one.row.inter_token:.2f} |\n"
        for one in found
    )
    tokens = Error.of([(memory_fit(row.shape).kv_cache_tokens, row.kv_cache_tokens) for row in measurements.own()])
    return f"""
## Where requests queue for KV cache

KV-cache tokens of own start-ups: {_text(tokens)} over {tokens.rows} rows.

| Row | TTFT measured | TTFT predicted over measured | Inter-token latency, likewise |
|---|---|---|---|
{lines}"""


def _constants(rows: Sequence[Measured]) -> str:
    folds = [fit([row for index, row in enumerate(rows) if index % 7 != left]) for left in range(7)]
    lines = "".join(
        f"| `{field.name}` | {asdict(FITTED)[field.name]:g} | {_spread(folds, field.name):.1%} |\n"
        for field in fields(Fitted)
    )
    return f"""
## Fitted constants

What they are: [constants.md](constants.md); `make fit` makes them.

| Constant | Value | Standard deviation when a seventh of the rows is left out |
|---|---|---|
{lines}"""


def _noise(rows: Sequence[Measured]) -> str:
    twins = [
        (one.ttft, other.ttft)
        for index, one in enumerate(rows)
        for other in rows[index + 1 :]
        if one.shape == other.shape
        and one.concurrency == other.concurrency
        and one.workload.prompt_tokens == other.workload.prompt_tokens
        and max(one.ttft, other.ttft) < 5
    ]
    floor = Error.of(twins)
    return f"""
## The floor

TTFT should not depend on how long the answers are.
{floor.rows} pairs of published rows differ in nothing else: one predicts the other with {floor.mean:.1%} mean absolute error.
"""


def _row(name: str, found: Sequence[Predicted]) -> str:
    return f"| {name} | {_text(ttft(found))} | {_text(inter_token(found))} | {len(found)} |\n"


def _text(error: Error) -> str:
    return f"{error.mean:.1%} / {error.median:.1%} / {error.bias:+.1%}"


def _spread(folds: Sequence[Fitted], name: str) -> float:
    values = [float(asdict(one)[name]) for one in folds]
    return pstdev(values) / fmean(values)


def _accelerator(row: Measured) -> str:
    return row.shape.accelerator.name


def _model(row: Measured) -> str:
    return row.shape.model.id


def _model_and_format(row: Measured) -> str:
    return f"{row.shape.model.id} {row.shape.weights}, KV cache {row.shape.kv_cache_dtype}"


def _ranks(row: Measured) -> str:
    return f"tensor parallel {row.shape.tensor_parallel_size}"


def _lengths(row: Measured) -> str:
    return f"{row.workload.prompt_tokens:.0f} + {row.workload.output_tokens:.0f} tokens"
