"""The JSON of ``costpolicy allocate``, read exactly: decimals stay decimals, and every mistake is named with its place."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NoReturn, TypeVar

from costpolicy.planning.allocation.problem import DEFAULT_POOL, Offer, Problem, Workload
from costpolicy.units import Money

GREATEST: Final = Decimal(10) ** 12
SMALLEST: Final = Decimal(10) ** -12
OFFER_FIELDS: Final = ("hourly", "limit")
WORKLOAD_FIELDS: Final = ("name", "requestsPerSecond", "throughput", "splittable", "priority", "floor", "pool")

_Kind = TypeVar("_Kind")


class AllocationInputError(ValueError):
    """The file is no allocation problem; the message says where and what to write instead."""


def parse_problem(text: str) -> tuple[Problem, tuple[str, ...]]:
    """Return the problem of a JSON text, and the places of fields that are not known.

    Raises:
        AllocationInputError: it is not JSON, a field is missing, a number is not one that can be meant, or a name is
            unknown or there twice.
    """
    document = _object(_decoded(text), "the document")
    accelerators = _object(_required(document, "accelerators", ""), "accelerators")
    offers = tuple(_offer(name, value) for name, value in accelerators.items())
    listed = _required(document, "workloads", "")
    if not isinstance(listed, list):
        raise AllocationInputError(f"workloads is {_kind(listed)}: write a list")
    names = frozenset(accelerators)
    workloads = tuple(_workload(value, f"workloads[{index}]", names) for index, value in enumerate(listed))
    seen: set[str] = set()
    for index, workload in enumerate(workloads):
        if workload.name in seen:
            raise AllocationInputError(
                f"workloads[{index}].name: {workload.name} is there twice: give each its own name"
            )
        seen.add(workload.name)
    return Problem(offers=offers, workloads=workloads), tuple(_unknown(document))


def _decoded(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_pairs)
    except json.JSONDecodeError as error:
        raise AllocationInputError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise AllocationInputError("not an allocation problem: it is nested too deeply") from error


def _constant(name: str) -> NoReturn:
    raise AllocationInputError(f"{name} is not a number that can be planned with: write a finite one, or null")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise AllocationInputError(f"{name!r} is there twice in one object: remove one of them")
        found[name] = value
    return found


def _offer(name: str, value: object) -> Offer:
    place = f"accelerators.{name}"
    fields = _object(value, place)
    hourly = _required(fields, "hourly", place)
    try:
        price = Money.parse(format(hourly, "f") if _is_number(hourly) else str(hourly))
    except ValueError as error:
        raise AllocationInputError(f"{place}.hourly: {error}") from error
    limit = fields.get("limit")
    return Offer(name=name, hourly=price, limit=None if limit is None else _count(limit, f"{place}.limit"))


def _workload(value: object, place: str, accelerators: frozenset[str]) -> Workload:
    fields = _object(value, place)
    name = _text(_required(fields, "name", place), f"{place}.name")
    place = f"{place} ({name})"
    throughput = _named(_required(fields, "throughput", place), f"{place}.throughput", accelerators, _throughput)
    splittable = _optional(fields, "splittable", False)
    if not isinstance(splittable, bool):
        raise AllocationInputError(f"{place}.splittable is {_kind(splittable)}: write true or false")
    return Workload(
        name=name,
        requests_per_second=_rate(_required(fields, "requestsPerSecond", place), f"{place}.requestsPerSecond"),
        throughput={key: rate for key, rate in throughput.items() if rate},
        splittable=splittable,
        priority=_whole(_optional(fields, "priority", 0), f"{place}.priority"),
        floor=_named(_optional(fields, "floor", {}), f"{place}.floor", accelerators, _count),
        pool=_text(_optional(fields, "pool", DEFAULT_POOL), f"{place}.pool"),
    )


def _named(
    value: object, place: str, accelerators: frozenset[str], read: Callable[[object, str], _Kind]
) -> dict[str, _Kind]:
    found = {}
    for name, entry in _object(value, place).items():
        if name not in accelerators:
            raise AllocationInputError(
                f"{place}.{name}: there is no such accelerator: add it to accelerators, or remove it here"
            )
        found[name] = read(entry, f"{place}.{name}")
    return found


def _object(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise AllocationInputError(f"{place} is {_kind(value)}: write an object")
    return value


def _required(fields: Mapping[str, Any], name: str, place: str) -> Any:  # noqa: ANN401 - any JSON value
    if name not in fields:
        raise AllocationInputError(f"{f'{place}.' if place else ''}{name} is missing")
    return fields[name]


def _optional(fields: Mapping[str, Any], name: str, default: object) -> Any:  # noqa: ANN401 - any JSON value
    value = fields.get(name)
    return default if value is None else value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise AllocationInputError(f"{place} is {_kind(value)}: write a name")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _throughput(value: object, place: str) -> Fraction:
    return Fraction(0) if value is None else _rate(value, place)


def _rate(value: object, place: str) -> Fraction:
    if not _is_number(value):
        raise AllocationInputError(f"{place} is {_kind(value)}: write requests per second as a number")
    number = Decimal(value)  # type: ignore[arg-type] # an int or a Decimal
    if number and not SMALLEST <= number <= GREATEST:
        raise AllocationInputError(f"{place} is {number}: write 0, or a number from {SMALLEST:.0e} to {GREATEST:.0e}")
    return Fraction(number)


def _whole(value: object, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise AllocationInputError(f"{place} is {_kind(value)}: write a whole number")
    return value


def _count(value: object, place: str) -> int:
    number = _whole(value, place)
    if not 0 <= number <= 10**6:
        raise AllocationInputError(f"{place} is {number}: write a whole number from 0 to 1,000,000")
    return number


def _unknown(document: Mapping[str, Any]) -> list[str]:
    found = [name for name in document if name not in ("accelerators", "workloads")]
    for name, offer in document["accelerators"].items():
        found += [f"accelerators.{name}.{field}" for field in offer if field not in OFFER_FIELDS]
    for index, workload in enumerate(document["workloads"]):
        found += [f"workloads[{index}].{field}" for field in workload if field not in WORKLOAD_FIELDS]
    return found


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number" if not isinstance(value, Decimal) else f"the number {value}")
