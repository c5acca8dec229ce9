"""(d) Llama-3.1-70B: bf16 on two accelerators, INT8 on one, and why the model's full context keeps more."""

from cluster.paths import CHECKOUT
from demo.world import Object, World, accelerators_of, condition

POLICY = "llama-70b"
PLAIN = CHECKOUT / "examples" / "llama-70b.yaml"
WITH_INT8 = CHECKOUT / "examples" / "llama-70b-int8.yaml"


def is_planned(world: World) -> None:
    """Apply the policy in its own format."""
    world.journal.step("(d) Llama-3.1-70B in bf16, contextLength 4096")
    world.apply(PLAIN)
    status = _runs(world, accelerators=2, weights="bf16")
    advice = status.get("recommended", {})
    world.expect(advice.get("weights") == "int8", "INT8 recommended, not applied", advice)
    world.journal.sees(f"recommended, not applied: {advice['weights']} for {advice['costPerHour']} an hour")
    _row(world, status, "(d) 70B bf16")


def accepts_int8(world: World) -> None:
    """Edit the policy: quantization Enabled; the operator starts the new variant beside the old one and moves over."""
    world.journal.step("(d) the same policy, quantization Enabled with an INT8 checkpoint")
    world.apply(WITH_INT8)
    status = _runs(world, accelerators=1, weights="int8")
    world.journal.sees(f"QualityMaintained {condition(status, 'QualityMaintained')}")
    _row(world, status, "(d) 70B INT8 accepted")


def keeps_more_for_its_full_context(world: World) -> None:
    """Take the context limit away: the same policy then needs more accelerators, and says why."""
    world.journal.step("(d) the same policy at the model's full context")
    world.patch(POLICY, '[{"op":"remove","path":"/spec/model/contextLength"}]', kind="json")
    status = _runs(world, accelerators=2, weights="int8")
    why = status["whyNotCheaper"]
    world.expect("context" in why, "whyNotCheaper names the context", why)
    world.journal.sees(f"why not cheaper: {why}")
    _row(world, status, "(d) 70B INT8, full context")


def _runs(world: World, *, accelerators: int, weights: str) -> Object:
    """Wait until the edit is carried out: plan, status and what is applied agree, and nothing else is left."""
    meant = (accelerators, 1, weights)

    def carried_out(status: Object) -> bool:
        plans = status.get("target", {}), status.get("current", {})
        # What runs costs what is planned only when the old variant is gone.
        return all(_figures(plan) == meant for plan in plans) and plans[0]["costPerHour"] == plans[1]["costPerHour"]

    status = world.ready(POLICY)
    world.expect(
        _figures(status["target"]) == meant, f"{accelerators} accelerator(s), one replica, {weights}", status["target"]
    )
    status = world.until(
        f"{POLICY} runs as planned", lambda: world.status(POLICY), carried_out, lambda seen: seen.get("current")
    )
    applied = world.until(
        "one Deployment is left",
        lambda: world.deployments(POLICY),
        lambda found: len(found) == 1,
        lambda found: [deployment["metadata"]["name"] for deployment in found],
    )
    asked = accelerators_of(applied[0])
    world.expect(asked == accelerators, f"{accelerators} accelerator(s) in the applied Deployment", asked)
    return status


def _figures(plan: Object) -> tuple[object, ...]:
    return tuple(plan.get(name) for name in ("acceleratorsPerReplica", "replicas", "weights"))


def _row(world: World, status: Object, title: str) -> None:
    current = status["current"]
    products = ", ".join(sorted(world.products(POLICY)))
    (deployment,) = world.deployments(POLICY)
    seen = f"{accelerators_of(deployment)} GPU(s) in Deployment {deployment['metadata']['name']} on {products}, {current['weights']}"
    world.journal.row(title, seen, current["costPerHour"], "API server: status, Deployment, nodes")
