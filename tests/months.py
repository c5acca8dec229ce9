"""Months of hours whose truth is known: what a change in their middle saved, under traffic that grows, shifts and waves.

Costs are made up of a fixed part and one that follows the tokens, times errors that last from hour to hour.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import exp, pi, sin

from costpolicy.savings.window import Window
from costpolicy.units import Money

WEEK = 168


@dataclass(frozen=True, kw_only=True)
class Month:
    """A week before a change and one after it.

    Attributes:
        saving: share of the cost that the change saves in every hour.
        rho: share of an hour's error that is left in the next; ``noise`` is the errors' standard deviation (logarithm).
        growth: of requests a week; ``shift``: of the tokens of a request over both weeks, to longer prompts and shorter
            answers (logarithm).
        fixed: share of the cost that does not follow the traffic.
    """

    saving: float = 0.2
    rho: float = 0.8
    noise: float = 0.06
    growth: float = 0.03
    shift: float = 0.1
    fixed: float = 0.5
    traffic_noise: float = 0.1

    def weeks(self, seed: int) -> tuple[Window, Window]:
        """Return the week before the change and the one after it."""
        hours = self._hours(seed)
        return window(hours[:WEEK]), window(hours[WEEK:])

    def with_a_second_change(self, seed: int, days: int, saving: float) -> tuple[Window, Window, Window]:
        """Return the hours before, between and after two changes; the second one comes some days after the first."""
        hours, second = self._hours(seed), WEEK + 24 * days
        later = [replace(hour, total_cost=hour.total_cost.scaled(round((1.0 - saving) * 1e6), 10**6)) for hour in hours]
        return window(hours[:WEEK]), window(hours[WEEK:second]), window(later[second:])

    def _hours(self, seed: int) -> list[Window]:
        chance = random.Random(seed)
        error, crowd, hours = chance.gauss(0.0, self.noise), 0.0, []
        for hour in range(2 * WEEK):
            error = _next(chance, error, self.rho, self.noise)
            crowd = _next(chance, crowd, 0.7, self.traffic_noise)
            hours.append(self._hour(chance, hour, error, crowd))
        return hours

    def _hour(self, chance: random.Random, hour: int, error: float, crowd: float) -> Window:
        wave = sin(2 * pi * (hour % 24) / 24)
        requests = 1000.0 * (1.0 + self.growth * hour / WEEK) * (1.0 + 0.5 * wave) * exp(crowd)
        requests *= 1.0 if hour // 24 % 7 < 5 else 0.6
        shifted = self.shift * (hour / (2 * WEEK) - 0.5)
        prompt = 1000.0 * exp(shifted + 0.1 * sin(2 * pi * (hour % 24) / 24 + 1) + chance.gauss(0.0, 0.05))
        output = 200.0 * exp(-shifted + chance.gauss(0.0, 0.05))
        following = requests * (0.3 * prompt + 3.0 * output) / 900.0
        cost = (self.fixed * 1000.0 + (1.0 - self.fixed) * following) / 1000.0 * exp(error)
        cost *= 1.0 - (self.saving if hour >= WEEK else 0.0)
        return hour_of(cost, requests, requests * prompt, requests * output)


def hour_of(cost: float, requests: float, prompt: float, output: float, at_baseline: float | None = None) -> Window:
    """Return one hour; costs in units of money."""
    return Window(
        total_cost=Money(round(cost * 1_000_000)),
        requests=Fraction(requests),
        prompt_tokens=Fraction(prompt),
        output_tokens=Fraction(output),
        cost_at_baseline_prices=None if at_baseline is None else Money(round(at_baseline * 1_000_000)),
    )


def window(hours: Sequence[Window]) -> Window:
    """Return hours added up."""
    priced = [hour.cost_at_baseline_prices.micros for hour in hours if hour.cost_at_baseline_prices is not None]
    return Window(
        total_cost=Money(sum(hour.total_cost.micros for hour in hours)),
        requests=sum((hour.requests for hour in hours), Fraction(0)),
        prompt_tokens=sum((hour.prompt_tokens for hour in hours), Fraction(0)),
        output_tokens=sum((hour.output_tokens for hour in hours), Fraction(0)),
        cost_at_baseline_prices=Money(sum(priced)) if priced else None,
        hours=tuple(hours),
    )


def _next(chance: random.Random, value: float, rho: float, deviation: float) -> float:
    return rho * value + chance.gauss(0.0, deviation * (1.0 - rho * rho) ** 0.5)
