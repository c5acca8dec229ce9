"""(a) Llama-3.1-8B from three lines: planned, rendered, and on the cheapest nodes that it fits on."""

from cluster.paths import CHECKOUT
from costpolicy.catalog.accelerators import accelerators
from costpolicy.units import Money
from demo.world import PRODUCT, World, variant_of

POLICY = "chat"
MODEL = "llama-8b"
PRICES = CHECKOUT / "examples" / "pricebook.yaml"
MANIFEST = CHECKOUT / "examples" / "chat-8b.yaml"


def is_planned(world: World) -> None:
    """Apply the prices and the policy, and read back where its pods are and what they cost."""
    world.journal.step("(a) Llama-3.1-8B: three lines of policy, example prices")
    world.apply(PRICES)
    world.apply(MANIFEST)
    status = world.ready(POLICY)
    current, target = status["current"], status["target"]
    products = world.products(POLICY)
    meant = set(accelerators()[current["accelerator"]].node_labels[PRODUCT])
    world.expect(bool(products) and products <= meant, f"pods on nodes with {meant}", products)
    price = Money.parse(world.price(current["accelerator"]))
    paid = price * (current["replicas"] * current["acceleratorsPerReplica"])
    world.expect(Money.parse(current["costPerHour"]) == paid, f"{paid.text()} an hour by the price book", current)
    running = {variant_of(pod) for pod in world.ready_pods(POLICY)}
    world.expect(running == {current["variant"]}, "every pod is of the variant in status", running)
    predicted = target["predicted"]
    world.journal.sees(
        f"predicted: TTFT p95 {predicted['ttftSeconds']['p95']} s, inter-token latency p95 "
        f"{predicted['interTokenLatencySeconds']['p95']} s, {predicted['kvCacheTokens']} KV cache tokens a replica"
    )
    world.journal.sees(f"why not cheaper: {status['whyNotCheaper']}")
    seen = (
        f"{current['replicas']} x {current['acceleratorsPerReplica']} {current['accelerator']}, {current['weights']}; "
        f"pods on {', '.join(sorted(products))} nodes"
    )
    world.journal.row("(a) 8B planned, scheduled", seen, current["costPerHour"], "API server: status, pods, nodes")
