"""``costpolicy render``: the manifests that the operator would apply."""

import argparse
from typing import TYPE_CHECKING

from costpolicy.cli.console import DONE, NO, Console, InputError
from costpolicy.cli.documents import add_files

if TYPE_CHECKING:
    from costpolicy.cli.offline import Planned
    from costpolicy.manifests.serialization import Object
    from costpolicy.planning.plan import Target


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser("render", help="the manifests it would apply", description=__doc__)
    add_files(command)
    command.add_argument(
        "--calibration", action="store_true", help="print a Job that measures the plan with a load generator, instead"
    )
    command.add_argument(
        "--load-generator", choices=("inference-perf", "guidellm"), default="inference-perf", help="what that Job runs"
    )
    command.add_argument("--calibration-image", metavar="IMAGE", help="image of the load generator for it")
    command.add_argument(
        "--patch", action="store_true", help="print a patch of the Deployment that a policy's targetRef names, instead"
    )
    command.add_argument(
        "--from", dest="origin", metavar="FILE", help="a file with that Deployment; without it the cluster is read"
    )
    command.add_argument(
        "--router-image", metavar="IMAGE", help="image of LiteLLM, with its digest; ModelRoutes need it"
    )
    command.add_argument(
        "--operator-image",
        metavar="IMAGE",
        help="image of the operator, for CronJobs of ModelRoutes; without it there are none",
    )
    command.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Plan, render and print."""
    if arguments.patch:
        from costpolicy.cli.patching import render_patches

        return render_patches(arguments, console)
    from costpolicy.api.model_route import ModelRoute
    from costpolicy.api.policy import CostPolicy
    from costpolicy.cli.documents import parse, prices_of
    from costpolicy.cli.offline import plan_offline
    from costpolicy.cli.render_routes import render_routes
    from costpolicy.clock import SystemClock

    now = SystemClock().now()
    documents = parse(arguments.file, console)
    policies = [document for document in documents if isinstance(document, CostPolicy)]
    routes = [document for document in documents if isinstance(document, ModelRoute)]
    if not policies and not routes:
        raise InputError("no CostPolicy and no ModelRoute in the given files: pass one with -f")
    prices = prices_of(documents, console, now)
    items: list[Object] = []
    for policy in policies:
        planned = plan_offline(policy, prices)
        if planned.plan.target is None:
            infeasible = planned.plan.infeasible
            console.note(
                f"costpolicy: {policy.key}: no plan: {infeasible.reason}: {infeasible.message}"
                if infeasible
                else policy.key
            )
            return NO
        target = planned.plan.target
        if arguments.calibration:
            items += _calibration(planned, target, arguments)
        else:
            items += _objects(planned, target)
    if routes and not arguments.calibration:
        items += render_routes(routes, policies, prices, arguments, console)
    if arguments.output == "json":
        console.dump({"apiVersion": "v1", "kind": "List", "items": items}, "json")
        return DONE
    import yaml

    console.out.write(yaml.safe_dump_all(items, sort_keys=False))
    return DONE


def _objects(planned: "Planned", target: "Target") -> "list[Object]":
    from costpolicy.manifests.deployment import with_replicas
    from costpolicy.manifests.inputs import VariantInputs
    from costpolicy.manifests.policy_objects import policy_objects
    from costpolicy.manifests.timing import startup_budget
    from costpolicy.manifests.variant import render_variant
    from costpolicy.manifests.weights import served_source

    variant = render_variant(
        VariantInputs(
            policy=planned.policy,
            configuration=target.configuration,
            engine=planned.inputs.engine,
            image=planned.inputs.image,
            startup_budget=startup_budget(
                int(target.memory.weights_bytes), served_source(planned.policy, target.configuration)
            ),
        )
    )
    others = policy_objects(planned.policy, variant.hash, target.replicas, monitored=False)
    scaler = _autoscaler(planned, target, variant.hash)
    return [with_replicas(variant.deployment, target.replicas), *variant.objects[1:], *others, *scaler]


def _autoscaler(planned: "Planned", target: "Target", variant: str) -> "list[Object]":
    """Return the HorizontalPodAutoscaler of a policy that asks for one; KEDA's needs the address of the operator's Prometheus."""
    from costpolicy.api.types import ScalingProvider
    from costpolicy.catalog.accelerators import accelerators
    from costpolicy.manifests.autoscaler import ScalerInputs, horizontal_pod_autoscaler
    from costpolicy.planning.autoscaling import load_targets, replica_limits
    from costpolicy.planning.evaluation import Evaluation

    request, configuration, scaling = planned.request, target.configuration, planned.policy.spec.scaling
    if scaling.provider is not ScalingProvider.HPA:
        return []
    replica = Evaluation(request).replica(configuration, accelerators()[configuration.accelerator])
    bounds = replica_limits(request, configuration, (scaling.min_replicas, scaling.max_replicas), target.replicas)
    inputs = ScalerInputs(policy=planned.policy, variant=variant, bounds=bounds, targets=load_targets(replica))
    return [horizontal_pod_autoscaler(inputs)]


def _calibration(planned: "Planned", target: "Target", arguments: argparse.Namespace) -> "tuple[Object, ...]":
    from costpolicy.manifests.calibration_job import calibration_job
    from costpolicy.manifests.calibration_load import CalibrationLoad

    demand, predicted = planned.request.demand, target.predicted
    load = CalibrationLoad(
        requests=demand,
        capacity=target.capacity_per_replica * target.replicas,
        answer_time=predicted.ttft.p95 + demand.output_tokens * predicted.inter_token.p95,
        context=target.configuration.max_model_len or planned.request.architecture.context_length,
    )
    return calibration_job(
        planned.policy, target.configuration, load, arguments.load_generator, arguments.calibration_image
    )
