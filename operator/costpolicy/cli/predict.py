"""``costpolicy predict``: latency, throughput and memory of configurations, one a row, without a cluster."""

import argparse
import csv
import io
from collections.abc import Mapping
from enum import StrEnum
from math import isfinite, nan
from typing import TYPE_CHECKING, Final, TypeVar

from costpolicy.cli.console import DONE, Console, InputError

if TYPE_CHECKING:
    from costpolicy.perf.points import Point, Prediction

REQUIRED: Final = (
    "model",
    "accelerator",
    "tensor_parallel_size",
    "weights",
    "kv_cache_dtype",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "concurrency",
)
ANSWERS: Final = (
    "ttft_ms",
    "ttft_p50_ms",
    "itl_ms",
    "itl_p50_ms",
    "output_tokens_per_second",
    "kv_cache_tokens",
    "weights_gib",
    "reason",
)
DEFAULT_LENGTH_CV: Final = 0.3


_Choice = TypeVar("_Choice", bound=StrEnum)


class PointsError(ValueError):
    """The file is no table of points; the message says what is missing."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser("predict", help="latency and memory of given configurations", description=__doc__)
    command.add_argument("--points", required=True, metavar="FILE", help="CSV, a configuration a row; - for stdin")
    command.add_argument("-o", "--output", choices=("csv", "json"), default="csv", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Predict every row and print the table."""
    text = console.read(arguments.points)
    try:
        if arguments.output == "json":
            console.dump(answer(text), "json")
        else:
            console.out.write(predict_csv(text))
    except PointsError as error:
        raise InputError(f"{arguments.points}: {error}") from error
    return DONE


def predict_csv(points_text: str) -> str:
    """Return the CSV of points with the answers' columns added, rows in their order.

    A row that cannot be predicted keeps empty cells and says why in ``reason``.

    Raises:
        PointsError: a column is missing, there twice, or named as an answer.
    """
    rows = answer(points_text)
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else _columns(points_text), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def answer(points_text: str) -> list[dict[str, str | float | None]]:
    """Return one mapping a row: its own columns as text, the answers as numbers or ``None``, and ``reason``.

    Raises:
        PointsError: as :func:`run`.
    """
    _columns(points_text)
    reader = csv.DictReader(io.StringIO(points_text), skipinitialspace=True)
    return [_answered({key: value for key, value in row.items() if key is not None}) for row in reader]


def _columns(points_text: str) -> list[str]:
    """Return the columns of the answer."""
    header = next(csv.reader(io.StringIO(points_text), skipinitialspace=True), [])
    missing = [column for column in REQUIRED if column not in header]
    if missing:
        raise PointsError(f"columns are missing: {', '.join(missing)}")
    given = [column for column in header if column in ANSWERS or header.count(column) > 1]
    if given:
        raise PointsError(f"columns that are answers or there twice: {', '.join(sorted(set(given)))}")
    return [*header, *ANSWERS]


def _answered(row: Mapping[str, str | None]) -> dict[str, str | float | None]:
    from costpolicy.catalog.engines import newest_engine
    from costpolicy.perf.latency import Unpredictable
    from costpolicy.perf.points import predict

    answers: dict[str, str | float | None] = dict.fromkeys(ANSWERS)
    answers["reason"] = ""
    try:
        predicted = predict(_point(row), newest_engine())
    except ValueError as error:
        predicted = Unpredictable(reason=str(error))
    if isinstance(predicted, Unpredictable):
        answers["reason"] = predicted.reason
    else:
        answers |= _numbers(predicted)
    return {key: value or "" for key, value in row.items()} | answers


def _numbers(predicted: "Prediction") -> dict[str, float]:
    latency, memory = predicted.latency, predicted.memory
    return {
        "ttft_ms": round(latency.ttft.mean * 1000, 3),
        "ttft_p50_ms": round(latency.ttft.p50 * 1000, 3),
        "itl_ms": round(latency.inter_token.mean * 1000, 4),
        "itl_p50_ms": round(latency.inter_token.p50 * 1000, 4),
        "output_tokens_per_second": round(latency.output_tokens_per_second, 3),
        "kv_cache_tokens": memory.kv_cache_tokens,
        "weights_gib": round(memory.weights_bytes / 2**30, 3),
    }


def _point(row: Mapping[str, str | None]) -> "Point":
    """Read a row.

    Raises:
        ValueError: a cell is empty or not what its column holds; the message names the column.
    """
    from costpolicy.api.types import KvCacheDtype, WeightFormat
    from costpolicy.perf.points import Point
    from costpolicy.perf.shape import Workload

    rounds = _text(row, "rounds", "")
    return Point(
        model=_text(row, "model"),
        accelerator=_text(row, "accelerator"),
        tensor_parallel_size=_whole(row, "tensor_parallel_size"),
        weights=_choice(WeightFormat, row, "weights"),
        kv_cache_dtype=_choice(KvCacheDtype, row, "kv_cache_dtype"),
        workload=Workload(
            prompt_tokens=_number(row, "input_tokens"),
            output_tokens=_number(row, "output_tokens"),
            cached_tokens=_number(row, "cached_tokens"),
            length_cv=_number(row, "length_cv", str(DEFAULT_LENGTH_CV)),
        ),
        concurrency=_number(row, "concurrency"),
        rounds=_number(row, "rounds") if rounds else None,
        data_parallel_size=_whole(row, "data_parallel_size", "1"),
    )


def _text(row: Mapping[str, str | None], column: str, default: str | None = None) -> str:
    value = (row.get(column) or "").strip()
    if value:
        return value
    if default is None:
        raise ValueError(f"{column} is empty")
    return default


def _number(row: Mapping[str, str | None], column: str, default: str | None = None) -> float:
    text = _text(row, column, default)
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise ValueError(f"{column} is not a number: {text!r}")
    return number


def _whole(row: Mapping[str, str | None], column: str, default: str | None = None) -> int:
    number = _number(row, column, default)
    if not number.is_integer():
        raise ValueError(f"{column} is not a whole number: {number}")
    return int(number)


def _choice(kind: type[_Choice], row: Mapping[str, str | None], column: str) -> _Choice:
    text = _text(row, column)
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{column} is not one of {', '.join(kind)}: {text!r}") from None
