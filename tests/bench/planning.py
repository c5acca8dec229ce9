"""How long a plan takes: every offering of the packaged list prices, one policy."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.figures import Figure, cpu_seconds, milliseconds
from costpolicy.api.documents import parse_documents
from costpolicy.api.policy import CostPolicy
from costpolicy.catalog.prices import list_price_book, merge_books
from costpolicy.cli.offline import plan_offline

EXAMPLES = Path(__file__).parents[2] / "examples"
REPEATS = 15


def figures() -> Iterator[Figure]:
    """Yield one figure a policy; the first plan of a process, which reads the catalogue, is not counted."""
    prices = merge_books([list_price_book()], datetime.now(tz=UTC))
    for name in ("minimal", "chat-8b", "llama-70b"):
        policy = _anywhere(EXAMPLES / f"{name}.yaml")
        candidates = len(plan_offline(policy, prices).plan.candidates)
        spent = cpu_seconds(partial(plan_offline, policy, prices), REPEATS)
        what = f"{len(prices.offerings)} offerings, {candidates} candidates"
        yield milliseconds(f"plan {name}.yaml ({what}), CPU", spent, "200 ms")


def _anywhere(path: Path) -> CostPolicy:
    """Return the policy of an example, allowed on every accelerator that is offered."""
    [policy] = parse_documents(path.read_text())
    assert isinstance(policy, CostPolicy)
    hardware = policy.spec.hardware.model_copy(update={"accelerators": ()})
    return policy.model_copy(update={"spec": policy.spec.model_copy(update={"hardware": hardware})})
