"""The API's words and value types: enumerations, and strings that carry money, durations and shares exactly.
The API's words and value types: enumerations, and strings that carry money, durations and shares exactly."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints

from costpolicy.api.rules import Bounds, IntOrString, Rule
from costpolicy.units import MONEY_PATTERN, RATIO_PATTERN, format_time

DURATION_PATTERN: Final = r"^([0-9]{1,7}(ms|s|m|h)){1,4}$"
"""Narrower than :data:`costpolicy.units.DURATION_PATTERN`, so that no accepted duration overflows."""
CURRENCY_PATTERN: Final = r"^[A-Z]{3}$"
OPTIONAL_CURRENCY_PATTERN: Final = r"^([A-Z]{3})?$"
DATE_OR_TIME_PATTERN: Final = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$"
)
OBJECT_NAME_PATTERN: Final = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
ACCELERATOR_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
ABSOLUTE_PATH_PATTERN: Final = r"^/[!-9;-~]*$"
RELATIVE_PATH_PATTERN: Final = r"^[!-.0-9;-~][!-9;-~]*$"
COMPLEXITY_PATTERN: Final = r"^(0\.[0-9]{1,4}|1(\.0{1,4})?)$"
"""No percentage: the CEL rules of thresholds read it as a number."""
CRON_PATTERN: Final = r"^[-A-Za-z0-9*,/?#]+( +[-A-Za-z0-9*,/?#]+){4}$"
TIME_ZONE_PATTERN: Final = r"^[A-Za-z0-9_+/-]+$"

EXPECTED: Final[Mapping[str, str]] = {
    MONEY_PATTERN: "an amount of money: write a decimal such as 2.49, with at most six decimals and no sign",
    RATIO_PATTERN: "a share: write a number from 0 to 1 such as 0.05, or a percentage such as 5%",
    DURATION_PATTERN: "a duration: write whole numbers with ms, s, m or h, such as 800ms or 1h30m",
    CURRENCY_PATTERN: "a currency: write its three-letter code, such as USD",
    OPTIONAL_CURRENCY_PATTERN: "a currency: write its three-letter code, such as USD",
    DATE_OR_TIME_PATTERN: "a date such as 2026-11-22 or a time such as 2026-11-22T16:00:00Z",
    OBJECT_NAME_PATTERN: "the name of a Kubernetes object: a-z, 0-9, '-' and '.'",
    ACCELERATOR_PATTERN: "a name of a-z, 0-9 and '-', such as nvidia-h100-80gb",
    ABSOLUTE_PATH_PATTERN: "an absolute path without spaces and colons",
    RELATIVE_PATH_PATTERN: "a relative path without spaces and colons",
    COMPLEXITY_PATTERN: "a complexity: write a number above 0 and up to 1, such as 0.3",
    CRON_PATTERN: "a cron expression of five fields, such as '0 22 * * 1-5'",
    TIME_ZONE_PATTERN: "the IANA name of a time zone, such as Europe/Berlin",
}
"""What each pattern asks for, in the user's words."""


class CapacityType(StrEnum):
    """How an accelerator is paid for."""

    ON_DEMAND = "OnDemand"
    SPOT = "Spot"
    RESERVED = "Reserved"


class TechniqueMode(StrEnum):
    """Who decides about a technique: the operator, the user by permission, or nobody."""

    AUTO = "Auto"
    ENABLED = "Enabled"
    DISABLED = "Disabled"


class OutputLengthMode(StrEnum):
    """What is done about answers that are allowed to be longer than they get."""

    RECOMMEND = "Recommend"
    ENFORCE = "Enforce"
    DISABLED = "Disabled"


class CompressionMode(StrEnum):
    """Whether long contexts are shortened."""

    DISABLED = "Disabled"
    ENABLED = "Enabled"


class RolloutMode(StrEnum):
    """How far the operator may go by itself."""

    OFF = "Off"
    RECOMMEND = "Recommend"
    INITIAL = "Initial"
    AUTO = "Auto"


class ScalingProvider(StrEnum):
    """Who writes the number of replicas."""

    OPERATOR = "Operator"
    HPA = "HPA"
    KEDA = "KEDA"


class DeletionPolicy(StrEnum):
    """What becomes of the serving Deployment when its policy is deleted."""

    DELETE = "Delete"
    ORPHAN = "Orphan"


class WeightFormat(StrEnum):
    """Number format of a model's weights."""

    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"
    INT8 = "int8"
    AWQ = "awq"
    GPTQ = "gptq"
    NVFP4 = "nvfp4"


class KvCacheDtype(StrEnum):
    """Number format of cached keys and values; ``auto`` is that of the weights' activations."""

    AUTO = "auto"
    FP8 = "fp8"


class JudgeType(StrEnum):
    """How an answer is compared with the expected one."""

    EXACT = "Exact"
    CONTAINS = "Contains"
    NUMERIC = "Numeric"
    MODEL = "Model"


def _truth(value: Any) -> Any:  # noqa: ANN401 - whatever the document says
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004 - pydantic collects ValueError only
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its zone, such as 2026-11-22T16:00:00Z")
    if value.tzinfo is UTC and not value.microsecond:
        return value
    return value.astimezone(UTC).replace(microsecond=0)


def _more_than_zero(text: str) -> bool:
    return any(digit in text for digit in "123456789")


_POSITIVE = Rule("self.matches('[1-9]')", "must be more than zero", _more_than_zero)

Flag = Annotated[bool, BeforeValidator(_truth)]
Number = Annotated[float, Bounds(0, 1_000_000_000)]
Count = Annotated[int, Bounds(0, 1_000_000_000)]
PositiveCount = Annotated[int, Bounds(1, 1_000_000_000)]

MoneyText = Annotated[str, StringConstraints(pattern=MONEY_PATTERN, max_length=16)]
PositiveMoneyText = Annotated[MoneyText, _POSITIVE]
DurationText = Annotated[str, StringConstraints(pattern=DURATION_PATTERN, max_length=36)]
PositiveDurationText = Annotated[DurationText, _POSITIVE]
RatioText = Annotated[str, StringConstraints(pattern=RATIO_PATTERN, max_length=8)]
PositiveRatioText = Annotated[RatioText, _POSITIVE]
ComplexityText = Annotated[Annotated[str, StringConstraints(pattern=COMPLEXITY_PATTERN, max_length=6)], _POSITIVE]
CurrencyCode = Annotated[str, StringConstraints(pattern=CURRENCY_PATTERN, max_length=3)]
OptionalCurrencyCode = Annotated[str, StringConstraints(pattern=OPTIONAL_CURRENCY_PATTERN, max_length=3)]
DateOrTime = Annotated[str, StringConstraints(pattern=DATE_OR_TIME_PATTERN, max_length=32)]
Timestamp = Annotated[datetime, AfterValidator(_aware), PlainSerializer(format_time, return_type=str, when_used="json")]

Text = Annotated[str, StringConstraints(min_length=1, max_length=253)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
ObjectName = Annotated[str, StringConstraints(pattern=OBJECT_NAME_PATTERN, min_length=1, max_length=253)]
AcceleratorName = Annotated[str, StringConstraints(pattern=ACCELERATOR_PATTERN, min_length=1, max_length=63)]
ImageReference = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", min_length=1, max_length=512)]
AbsolutePath = Annotated[str, StringConstraints(pattern=ABSOLUTE_PATH_PATTERN, min_length=1, max_length=512)]
RelativePath = Annotated[str, StringConstraints(pattern=RELATIVE_PATH_PATTERN, min_length=1, max_length=512)]
CronSchedule = Annotated[str, StringConstraints(pattern=CRON_PATTERN, min_length=9, max_length=128)]
TimeZone = Annotated[str, StringConstraints(pattern=TIME_ZONE_PATTERN, min_length=1, max_length=64)]
LabelText = Annotated[str, StringConstraints(max_length=317)]
Quantity = Annotated[
    Annotated[int, Bounds(0, 1 << 53)]
    | Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?([numkKMGTPE]i?|[eE][0-9]+)?$", max_length=32)],
    IntOrString(),
]
