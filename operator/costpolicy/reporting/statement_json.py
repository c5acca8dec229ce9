"""A statement for other programs: JSON, and its drivers as CSV.  Money is decimal strings."""

import csv
import io
from typing import Any

from costpolicy.reporting.statement import Bill, ChangeMade, Driver, Statement
from costpolicy.units import Money, format_time


def statement_json(review: Statement) -> dict[str, Any]:
    """Return the answer of ``costpolicy report -o json``; what is not known is null."""
    return {
        "since": format_time(review.since),
        "until": format_time(review.until),
        "madeAt": format_time(review.made_at),
        "source": review.source,
        "bills": [_bill(bill) for bill in review.bills],
        "changes": [_change(made) for made in review.changes],
        "playbook": [{"policy": one.policy, "currency": one.currency, **one.row.to_json()} for one in review.advice],
        "policiesWithoutPlaybook": review.without_playbook,
        "missing": list(review.missing),
    }


def drivers_csv(review: Statement) -> str:
    """Return a row for each policy and currency, the dearest first."""
    text = io.StringIO()
    rows = [{"currency": bill.currency, **_driver(driver)} for bill in review.bills for driver in bill.drivers]
    names = (
        "policy",
        "currency",
        "cost",
        "perHour",
        "forecast",
        "budget",
        "requests",
        "costPerThousandRequests",
        "runs",
    )
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _bill(bill: Bill) -> dict[str, Any]:
    return {
        "currency": bill.currency,
        "total": bill.total.text(),
        "perHour": bill.per_hour.text(),
        "forecast": _text(bill.forecast),
        "budget": _text(bill.budget),
        "features": [{"feature": feature, "cost": cost.text()} for feature, cost in bill.features.items()],
        "drivers": [
            {
                **_driver(driver),
                "days": {
                    day.isoformat(): cost.text() for day, cost in sorted(bill.days.get(driver.policy, {}).items())
                },
            }
            for driver in bill.drivers
        ],
    }


def _driver(driver: Driver) -> dict[str, Any]:
    return {
        "policy": driver.policy,
        "cost": driver.cost.text(),
        "perHour": _text(driver.per_hour),
        "forecast": _text(driver.forecast),
        "budget": _text(driver.budget),
        "requests": driver.requests,
        "costPerThousandRequests": _text(driver.cost_per_thousand),
        "runs": driver.runs,
    }


def _change(made: ChangeMade) -> dict[str, Any]:
    return {
        "policy": made.policy,
        "currency": made.currency,
        "receipt": made.receipt.to_json(),
        "measured": made.measured.to_json() if made.measured is not None else None,
        "savesPerMonth": _text(made.saved_per_month),
        "realisedPerMonth": _text(made.realised_per_month),
        "paragraph": made.paragraph,
    }


def _text(amount: Money | None) -> str | None:
    return None if amount is None else amount.text()
