"""What a change of documents does to plans: for merge requests, and for what-if questions about prices and traffic."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, NO, Console
from costpolicy.planning.explain import describe

if TYPE_CHECKING:
    from costpolicy.catalog.prices import Offering, PriceList
    from costpolicy.cli.offline import Planned

_FIELDS = (
    "model",
    "objectives",
    "traffic",
    "hardware",
    "techniques",
    "budget",
    "scaling",
    "engine",
)


def print_changes(
    before: "Sequence[Planned]",
    after: "Sequence[Planned]",
    prices: "tuple[PriceList, PriceList]",
    form: str,
    console: Console,
) -> int:
    """Print what changes for each policy, and return whether every policy that remains has a plan."""
    rows = list(changes(before, after, prices))
    if form == "table":
        for row in rows:
            _print(row, console)
    else:
        console.dump({"changes": rows}, form)
    return DONE if all(planned.plan.target for planned in after) else NO


def changes(
    before: "Sequence[Planned]", after: "Sequence[Planned]", prices: "tuple[PriceList, PriceList]"
) -> Iterator[dict[str, Any]]:
    """Yield one row a policy, those that are gone last; money is a decimal string, ``None`` where it cannot be told."""
    old = {planned.policy.key: planned for planned in before}
    for planned in after:
        yield _row(planned.policy.key, old.pop(planned.policy.key, None), planned, prices)
    for key, gone in old.items():
        yield _row(key, gone, None, prices)


def _row(
    key: str, old: "Planned | None", new: "Planned | None", prices: "tuple[PriceList, PriceList]"
) -> dict[str, Any]:
    hourly = _hourly(new) - _hourly(old) if _answered(old) and _answered(new) else None
    return {
        "policy": key,
        "before": _summary(old),
        "after": _summary(new),
        "costPerHourChange": _signed(hourly) if hourly is not None else None,
        "costPerMonthChange": _signed(hourly * 730) if hourly is not None else None,
        "reasons": list(_reasons(old, new, prices)),
    }


def _answered(planned: "Planned | None") -> bool:
    """Whether its cost is known: no policy costs nothing, a policy without a plan costs nobody knows what."""
    return planned is None or planned.plan.target is not None


def _hourly(planned: "Planned | None") -> int:
    target = planned.plan.target if planned else None
    return target.cost_per_hour.micros if target else 0


def _signed(micros: int) -> str:
    from costpolicy.units import Money

    return f"{'+' if micros > 0 else ''}{Money(micros).text(2)}"


def _summary(planned: "Planned | None") -> str | None:
    if planned is None:
        return None
    target, refused = planned.plan.target, planned.plan.infeasible
    if target is None:
        return f"no plan: {refused.reason}" if refused else "no plan"
    return f"{describe(target.configuration, target.replicas)} at {target.cost_per_hour.text(2)} an hour"


def _reasons(old: "Planned | None", new: "Planned | None", prices: "tuple[PriceList, PriceList]") -> Iterator[str]:
    """Yield what was changed that this plan depends on; prices where they concern what it runs on before or after."""
    if old is None or new is None:
        yield "the policy is new" if old is None else "the policy is gone"
        return
    one, other = old.policy.spec, new.policy.spec
    for name in _FIELDS:
        if getattr(one, name) != getattr(other, name):
            yield f"spec.{name} changed"
    targets = [planned.plan.target.configuration for planned in (old, new) if planned.plan.target]
    concerned = {(target.accelerator, target.capacity_type) for target in targets}
    earlier, later = ({(each.accelerator.name, each.capacity_type): each for each in book.offerings} for book in prices)
    for key in sorted(concerned):
        told = _price_change(earlier.get(key), later.get(key))
        if told:
            yield f"{key[0]} {key[1]}: {told}"
    if new.plan.infeasible is not None:
        yield new.plan.infeasible.message


def _price_change(earlier: "Offering | None", later: "Offering | None") -> str | None:
    if earlier is None or later is None:
        return "newly offered" if later else "no longer offered"
    if earlier.hourly == later.hourly:
        return None
    return f"{earlier.hourly.text()} -> {later.hourly.text()} an hour"


def _print(row: dict[str, Any], console: Console) -> None:
    hourly, monthly = row["costPerHourChange"], row["costPerMonthChange"]
    change = f"{hourly} an hour, {monthly} a month" if hourly is not None else "cost not comparable"
    console.print(f"{row['policy']}: {row['before'] or 'nothing'} -> {row['after'] or 'nothing'} ({change})")
    for reason in row["reasons"]:
        console.print(f"  because {reason}")
