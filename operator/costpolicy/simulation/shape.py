"""The traffic of a scenario as it is written down, and the curve that it means."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.rules import exactly_one
from costpolicy.api.types import DurationText, PositiveDurationText
from costpolicy.simulation.traffic import Constant, Crowd, Curve, Daily, Growth, Night, OfficeHours, Retries, Traffic
from costpolicy.units import parse_duration

Rate = Annotated[float, Field(ge=0, le=1_000_000)]
Hour = Annotated[float, Field(ge=0, le=24)]
Tokens = Annotated[float, Field(gt=0, le=10_000_000)]


class DailyDocument(ApiModel):
    """A wave over the day."""

    trough: Rate
    """Requests per second at the quietest hour."""
    peak: Rate
    """At the busiest one."""
    peak_hour: Hour = 14.0
    """When that is (UTC)."""


class GrowthDocument(ApiModel):
    """Even growth from the beginning."""

    first: Rate
    """Requests per second at the beginning."""
    last: Rate
    """At the end of the growth."""
    within: PositiveDurationText
    """How long it takes."""


class OfficeHoursDocument(ApiModel):
    """One rate while people work, Monday to Friday, another one else; from one minute to the next."""

    inside: Rate
    """Requests per second while they work."""
    outside: Rate
    """At other times."""
    opens: Hour
    """Hour of the day (UTC)."""
    closes: Hour
    """Hour of the day (UTC)."""


class CrowdDocument(ApiModel):
    """Many more requests for a while."""

    at: DurationText
    """When they come, after the beginning."""
    duration: PositiveDurationText
    """How long they stay."""
    ramp: PositiveDurationText
    """How long it takes until all are there."""
    times: Annotated[float, Field(ge=1, le=1000)]
    """How many times the usual rate."""


class RetriesDocument(ApiModel):
    """Clients that hang up and ask again."""

    timeout: PositiveDurationText
    """Without a first token for this long."""
    most: Annotated[int, Field(ge=1, le=10)]
    """How often, at most."""

    def retries(self) -> Retries:
        """Return what these clients do."""
        return Retries(timeout=parse_duration(self.timeout).total_seconds(), most=self.most)


class NightDocument(ApiModel):
    """Hours in which requests are of another shape, such as a nightly batch of long documents."""

    begins: Hour
    """Hour of the day (UTC)."""
    ends: Hour
    """Hour of the day (UTC); before `begins` where it is after midnight."""
    times: Annotated[float, Field(ge=0, le=1000)] = 1.0
    """How many times the rate that the curve says."""
    prompt_tokens: Tokens
    """Mean prompt tokens of a request."""
    output_tokens: Tokens
    """Mean generated tokens of a request."""
    cached_tokens: Annotated[float, Field(ge=0)] = 0.0
    """Prompt tokens of a request that are found in the prefix cache."""

    def night(self) -> Night:
        """Return what these hours are like."""
        return Night(
            begins=self.begins,
            ends=self.ends,
            times=self.times,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
        )


class TrafficDocument(RuledModel):
    """What clients send: exactly one of constant, daily, growth and officeHours, and what comes on top of it."""

    constant: Rate | None = None
    """Requests per second, always."""
    daily: DailyDocument | None = None
    """A wave over the day."""
    growth: GrowthDocument | None = None
    """Even growth."""
    office_hours: OfficeHoursDocument | None = None
    """One rate while people work."""
    crowds: tuple[CrowdDocument, ...] = ()
    """Many more requests for a while."""
    retries: RetriesDocument | None = None
    """Clients that hang up and ask again."""
    prompt_tokens: Tokens = 1000.0
    """Mean prompt tokens of a request."""
    output_tokens: Tokens = 250.0
    """Mean generated tokens of a request."""
    cached_tokens: Annotated[float, Field(ge=0)] = 0.0
    """Prompt tokens of a request that are found in the prefix cache."""
    night: NightDocument | None = None
    """Hours in which requests are of another shape."""

    rules: ClassVar = (exactly_one("traffic", "constant", "daily", "growth", "officeHours"),)

    def traffic(self, start: datetime) -> Traffic:
        """Return what clients send when the scenario begins at ``start``."""
        curve = self._base(start)
        for crowd in self.crowds:
            curve = Crowd(
                base=curve,
                begin=start + parse_duration(crowd.at),
                duration=parse_duration(crowd.duration),
                ramp=parse_duration(crowd.ramp),
                times=crowd.times,
            )
        return Traffic(
            curve=curve,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
            retries=None if self.retries is None else self.retries.retries(),
            night=None if self.night is None else self.night.night(),
        )

    def _base(self, start: datetime) -> Curve:
        if self.daily is not None:
            return Daily(trough=self.daily.trough, peak=self.daily.peak, peak_hour=self.daily.peak_hour)
        if self.growth is not None:
            end = start + parse_duration(self.growth.within)
            return Growth(begin=start, end=end, first=self.growth.first, last=self.growth.last)
        if self.office_hours is not None:
            hours = self.office_hours
            return OfficeHours(inside=hours.inside, outside=hours.outside, opens=hours.opens, closes=hours.closes)
        return Constant(self.constant or 0.0)
