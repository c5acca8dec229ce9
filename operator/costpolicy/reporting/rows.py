"""Charges by hour or by day, as plain rows."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from costpolicy.observe.billing import Charge
from costpolicy.units import HOUR, Money, format_time


class Period(StrEnum):
    """How long one row is."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one offering cost a policy in one period, from ``since`` until ``until``, which is no part of it."""

    since: datetime
    until: datetime
    charge: Charge

    @property
    def quantity(self) -> str:
        """Accelerator-hours as a decimal."""
        whole, rest = divmod(self.charge.nanos, 10**9)
        return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def rows(charges: Iterable[Charge], period: Period) -> tuple[Row, ...]:
    """Return the charges in rows; days are those of UTC, and their sums exact.

    Args:
        charges: of hours.
        period: of a row.
    """
    added: dict[tuple[Any, ...], Row] = {}
    for charge in charges:
        begin = charge.until - HOUR
        if period is Period.DAY:
            begin = begin.replace(hour=0)
        until = begin + (timedelta(days=1) if period is Period.DAY else HOUR)
        place = (begin, charge.namespace, charge.policy, charge.accelerator, charge.capacity_type, charge.currency)
        before = added.get(place)
        added[place] = Row(since=begin, until=until, charge=charge if before is None else _sum(before.charge, charge))
    return tuple(added[place] for place in sorted(added))


def plain(found: Iterable[Row]) -> list[dict[str, str]]:
    """Return rows as ``-o json`` and ``-o csv`` have them."""
    return [
        {
            "since": format_time(row.since),
            "until": format_time(row.until),
            "namespace": row.charge.namespace,
            "policy": row.charge.policy,
            "accelerator": row.charge.accelerator,
            "capacityType": row.charge.capacity_type,
            "acceleratorHours": row.quantity,
            "cost": row.charge.cost.text(),
            "currency": row.charge.currency,
        }
        for row in found
    ]


def as_csv(columns: Sequence[str], found: Iterable[Mapping[str, str | None]]) -> str:
    """Return rows as CSV with a header; null is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def _sum(one: Charge, other: Charge) -> Charge:
    return replace(one, cost=Money(one.cost.micros + other.cost.micros), nanos=one.nanos + other.nanos)
