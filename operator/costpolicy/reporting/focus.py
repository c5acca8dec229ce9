"""Charges as the FinOps Open Cost and Usage Specification has them, version 1.2 (FOCUS; tag ``v1.2`` of its repository).

All 21 mandatory columns, and of the others those whose condition holds here.  What the specification asks for only of those who
have it is left out: there are no invoices, no commitment discounts, no negotiated prices beside those of the price books, no
regions and no tags in the ledger.  Columns of our own begin with ``x_`` and come last, as it asks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from costpolicy.reporting.rows import Row
from costpolicy.savings.month import month_of
from costpolicy.units import format_time

VERSION: Final = "1.2"
COLUMNS: Final = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "x_Accelerator",
    "x_CapacityType",
)
_UNIT: Final = "GPU-Hours"
_CATEGORIES: Final = {"Spot": "Dynamic"}
"""A price that its seller may change at any time is dynamic; those of the books are agreed upon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """Whom the rows are about: the account that pays (a cluster, say), and who provides the accelerators."""

    account: str
    provider: str


def focus_rows(rows: Iterable[Row], payer: Payer) -> list[dict[str, str | None]]:
    """Return a row of FOCUS for each row; null is ``None``.

    Each cost is what was paid: ``BilledCost``, ``EffectiveCost``, ``ContractedCost`` and ``ListCost`` are the same, because a
    price book knows one price.
    """
    return [_row(row, payer) for row in rows]


def _row(row: Row, payer: Payer) -> dict[str, str | None]:
    charge = row.charge
    cost = charge.cost.text()
    begin, end = month_of(row.since)
    offering = f"{charge.accelerator}/{charge.capacity_type}"
    return {
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), cost),
        "BillingAccountId": payer.account,
        "BillingAccountName": None,
        "BillingCurrency": charge.currency,
        "BillingPeriodStart": format_time(begin),
        "BillingPeriodEnd": format_time(end),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": f"{charge.accelerator} {charge.capacity_type} held by {charge.namespace}/{charge.policy}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": format_time(row.since),
        "ChargePeriodEnd": format_time(row.until),
        "ConsumedQuantity": row.quantity,
        "ConsumedUnit": _UNIT,
        "InvoiceIssuerName": payer.provider,
        "PricingCategory": _CATEGORIES.get(charge.capacity_type, "Standard"),
        "PricingQuantity": row.quantity,
        "PricingUnit": _UNIT,
        "ProviderName": payer.provider,
        "PublisherName": payer.provider,
        "ResourceId": f"{payer.account}/{charge.namespace}/{charge.policy}",
        "ResourceName": charge.policy,
        "ResourceType": "CostPolicy",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Model serving",
        "ServiceSubcategory": "Generative AI",
        "SkuId": charge.accelerator,
        "SkuMeter": "Accelerator Usage",
        "SkuPriceDetails": None,
        "SkuPriceId": offering,
        "SubAccountId": charge.namespace,
        "SubAccountName": charge.namespace,
        "x_Accelerator": charge.accelerator,
        "x_CapacityType": charge.capacity_type,
    }
