"""(b) A policy in mode Recommend shows a cheaper configuration and touches nothing."""

from dataclasses import dataclass
from pathlib import Path

from costpolicy.units import Money
from demo.world import Object, World

POLICY = "advice"
MANIFEST = Path(__file__).with_name("manifests") / "recommend.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Untouched:
    """The versions of a policy's Deployments at a moment; a write by anybody would change them."""

    versions: dict[str, str]


def is_given(world: World) -> Untouched:
    """Run on the dearest accelerator, then free the choice and ask for advice only."""
    world.journal.step("(b) a policy in mode Recommend")
    world.apply(MANIFEST)
    dear = world.ready(POLICY)["current"]
    # The Deployment's own controller has nothing more to write once every replica has been ready for long enough.
    world.until("the Deployment is available", lambda: world.deployments(POLICY), _all_available, lambda _: "not yet")
    untouched = Untouched(versions=_versions(world))
    world.patch(POLICY, '{"spec":{"hardware":null,"rollout":{"mode":"Recommend"}}}')
    status = world.until("advice for the freed choice", lambda: world.status(POLICY), lambda seen: "target" in seen)
    current, target = status["current"], status["target"]
    world.expect(current["costPerHour"] == dear["costPerHour"], "what runs costs what it did", current)
    cheaper = Money.parse(target["costPerHour"]) < Money.parse(current["costPerHour"])
    world.expect(cheaper, f"less than {current['costPerHour']} an hour", target)
    seen = f"runs on {current['accelerator']} for {current['costPerHour']}; recommended: {target['accelerator']}"
    world.journal.row("(b) advice only", seen, target["costPerHour"], "API server: status")
    return untouched


def has_changed_nothing(world: World, before: Untouched) -> None:
    """Look at the Deployments again, many comparisons of the operator later."""
    now = _versions(world)
    world.expect(now == before.versions, f"Deployments at the versions {before.versions}", now)
    world.journal.row("(b) advice only", f"Deployment still at resourceVersion {', '.join(now.values())}: untouched")


def _all_available(deployments: list[Object]) -> bool:
    return all(found.get("status", {}).get("availableReplicas") == found["spec"]["replicas"] for found in deployments)


def _versions(world: World) -> dict[str, str]:
    found = (deployment["metadata"] for deployment in world.deployments(POLICY))
    return {metadata["name"]: metadata["resourceVersion"] for metadata in found}
