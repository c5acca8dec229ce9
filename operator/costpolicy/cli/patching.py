"""``costpolicy render --patch``: what a policy recommends for a Deployment of somebody else, as a patch for Git."""

import argparse
from typing import TYPE_CHECKING

from costpolicy.cli.console import DONE, NO, Console, InputError

if TYPE_CHECKING:
    from costpolicy.advice.existing import Existing
    from costpolicy.advice.patch import Recommended
    from costpolicy.api.policy import CostPolicy
    from costpolicy.catalog.prices import PriceList
    from costpolicy.cli.reviewing import Scene
    from costpolicy.manifests.serialization import Object
    from costpolicy.planning.request import PlanRequest
    from costpolicy.reconcile.targets import Advised


def render_patches(arguments: argparse.Namespace, console: Console) -> int:
    """Print one patch a policy; 1 if one of them recommends nothing or has to be followed by hand."""
    from costpolicy.cli.documents import load
    from costpolicy.clock import SystemClock

    policies, prices = load(arguments.file, console, SystemClock().now())
    patches: list[Object] = []
    for policy in policies:
        ref = policy.spec.target_ref
        if ref is None:
            raise InputError(f"{policy.key} has no targetRef: --patch is for a Deployment of somebody else")
        found = _patch(policy, _scene(policy, arguments, console, prices), console)
        if found is None:
            return NO
        patches.append(found)
    if arguments.output == "json":
        console.dump(
            patches[0] if len(patches) == 1 else {"apiVersion": "v1", "kind": "List", "items": patches}, "json"
        )
        return DONE
    import yaml

    console.out.write(yaml.safe_dump_all(patches, sort_keys=False))
    return DONE


def _scene(policy: "CostPolicy", arguments: argparse.Namespace, console: Console, prices: "PriceList") -> "Scene":
    from costpolicy.cli.reviewing import deployments_in, scene_of, scene_of_cluster

    if arguments.origin is None:
        return scene_of_cluster(policy.metadata.namespace, prices)
    return scene_of(deployments_in(console.read(arguments.origin), arguments.origin), prices)


def _patch(policy: "CostPolicy", scene: "Scene", console: Console) -> "Object | None":
    from costpolicy.advice.patch import change_patch
    from costpolicy.observe.source import Missing
    from costpolicy.reconcile.inputs import Inputs

    found = _advised(policy, scene)
    existing, inputs = found.existing, found.inputs
    if existing is None or not isinstance(inputs, Inputs):
        raise TypeError("what is advised on is known")  # by construction (``_advised``)
    recommended = _recommended(scene.request(found.policy, inputs, existing), existing, scene, console)
    if recommended is None:
        return None
    patch = change_patch(existing, recommended)
    if isinstance(patch, Missing):
        console.note(f"costpolicy: {policy.key}: {patch.message}")
        return None
    return patch


def _advised(policy: "CostPolicy", scene: "Scene") -> "Advised":
    from costpolicy.api.validation import Problem
    from costpolicy.reconcile.targets import advised, target_of

    ref = target_of(policy)
    deployment = next((one for one in scene.workloads.deployments if ref and one["metadata"]["name"] == ref.name), None)
    if deployment is None:
        raise InputError(f"{policy.key}: there is no {ref} in what was read")
    found = advised(policy, deployment, scene.around)
    if isinstance(found.inputs, Problem):
        raise InputError(f"{policy.key}: {found.inputs.reason}: {found.inputs.message}")
    return found


def _recommended(
    request: "PlanRequest", existing: "Existing", scene: "Scene", console: Console
) -> "Recommended | None":
    from costpolicy.advice.patch import Recommended
    from costpolicy.catalog.accelerators import accelerators
    from costpolicy.manifests.products import products_on
    from costpolicy.observe.source import Missing
    from costpolicy.planning.planner import plan

    planned, held = plan(request), existing.cost_per_hour
    offers = [one for one in (planned.target, planned.recommended) if one is not None]
    best = min(offers, key=lambda one: one.compared_cost, default=None)
    if best is None or isinstance(held, Missing) or best.cost_per_hour >= held:
        why = planned.infeasible.message if planned.infeasible else planned.why_not_cheaper
        console.note(f"costpolicy: {existing.namespace}/{existing.name}: nothing to change: {why}")
        return None
    saved = (held - best.cost_per_hour).monthly().text(2)
    console.note(f"costpolicy: {existing.namespace}/{existing.name}: saves {saved} {request.currency} a month")
    if best is planned.recommended:
        console.note("costpolicy: it can alter answers: prove quality before you merge it (costpolicy evaluate)")
    nodes = (node.labels for node in scene.workloads.nodes)
    products = products_on(nodes, accelerators()[best.configuration.accelerator])
    return Recommended(target=best, engine=request.engine, products=products)
