"""``costpolicy scan``: what every vLLM Deployment costs, what of that is wasted, and the one best change.  It only reads."""

import argparse
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, Console

if TYPE_CHECKING:
    from costpolicy.advice.existing import Existing
    from costpolicy.advice.findings import Finding
    from costpolicy.advice.review import Change, Review
    from costpolicy.cli.reviewing import Scene
    from costpolicy.observe.source import Missing
    from costpolicy.units import Money


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser(
        "scan", help="what every vLLM Deployment costs, wastes and could save; read-only", description=__doc__
    )
    command.add_argument("-n", "--namespace", default="default", help="Deployments of this namespace")
    command.add_argument("-A", "--all-namespaces", action="store_true", help="Deployments of all namespaces")
    command.add_argument("-f", "--file", metavar="FILE", help="read Deployments from a file instead; - for stdin")
    command.add_argument(
        "--prices",
        action="append",
        default=[],
        metavar="FILE",
        help="PriceBook documents over the packaged list prices",
    )
    command.add_argument("--prometheus", metavar="URL", help="read the load of the last day from this Prometheus")
    command.add_argument("--matchers", default="", help='label matchers for its series, such as cluster="prod-eu"')
    command.add_argument("--ttft", default="1s", metavar="P95", help="assumed objective: time to first token (1s)")
    command.add_argument("--itl", default="100ms", metavar="P95", help="assumed objective: inter-token latency (100ms)")
    command.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read, review and print."""
    from costpolicy.advice.adoption import Promise
    from costpolicy.advice.review import total
    from costpolicy.cli.reviewing import duration, prices_of, with_metrics
    from costpolicy.clock import SystemClock

    now = SystemClock().now()
    scene = _scene(arguments, console, prices_of(arguments.prices, console, now))
    if arguments.prometheus:
        scene = with_metrics(scene, arguments.prometheus, arguments.matchers, now)
    promise = Promise(ttft=duration(arguments.ttft), inter_token=duration(arguments.itl))
    reviews = [scene.review(one, promise) for one in _engines(scene)]
    reviews.sort(key=lambda one: (-_micros(one.change.saves if one.change else None), one.existing.name))
    rows = [review_json(one, scene.prices.currency) for one in reviews]
    if arguments.prometheus:
        for row in rows:
            row["assumptions"] += _unmeasured(row)
    answer = {
        "deployments": rows,
        "costPerHour": total(reviews).text(2),
        "costPerMonth": total(reviews).monthly().text(2),
        "currency": scene.prices.currency,
        "assumptions": list(_assumptions(arguments, scene)),
    }
    if arguments.output != "table":
        console.dump(answer, arguments.output)
        return DONE
    from costpolicy.cli.scan_table import print_scan

    print_scan(answer, console)
    return DONE


def _unmeasured(row: dict[str, Any]) -> list[str]:
    if row["traffic"] is None or row["traffic"]["source"] == "Observed":
        return []
    return ["Prometheus has no requests of it: as many as it can carry are assumed, so that no replica counts as spare"]


def _scene(arguments: argparse.Namespace, console: Console, prices: Any) -> "Scene":  # noqa: ANN401 - imported late
    from costpolicy.cli.reviewing import deployments_in, scene_of, scene_of_cluster

    if arguments.file is not None:
        return scene_of(deployments_in(console.read(arguments.file), arguments.file), prices)
    return scene_of_cluster("" if arguments.all_namespaces else arguments.namespace, prices)


def _engines(scene: "Scene") -> "list[Existing]":
    from costpolicy.advice.existing import Existing

    return [found for one in scene.workloads.deployments if isinstance(found := scene.existing(one), Existing)]


def _assumptions(arguments: argparse.Namespace, scene: "Scene") -> list[str]:
    told = [
        f"objectives are not known: TTFT p95 of {arguments.ttft} and inter-token latency p95 of {arguments.itl} are assumed"
    ]
    if not arguments.prometheus:
        told.append(
            "no metrics (--prometheus URL): requests of 1,000 + 250 tokens are assumed, as many as what runs can carry, so that "
            "no replica counts as spare"
        )
    if not arguments.prices:
        told.append("prices are the packaged list prices; --prices FILE takes yours")
    if scene.workloads.nodes_refused:
        told.append(
            "nodes may not be listed: products are read from node selectors, and only what each runs on is compared"
        )
    elif not scene.workloads.nodes:
        told.append("no nodes are known: only what each Deployment runs on is compared")
    return told


def review_json(review: "Review", currency: str) -> dict[str, Any]:
    """Return what is said about one Deployment; ``None`` where it is not known, with the reason in ``unknown``."""
    from costpolicy.catalog.prices import Offering

    existing = review.existing
    offering = existing.offering
    product = offering.accelerator.name if isinstance(offering, Offering) else offering
    kind = offering.capacity_type.value if isinstance(offering, Offering) else offering
    known = {
        "model": existing.given.model,
        "engineVersion": existing.version,
        "accelerator": product,
        "capacityType": kind,
        "accelerators": existing.accelerators,
        "costPerHour": existing.cost_per_hour,
    }
    return {
        "deployment": f"{existing.namespace}/{existing.name}",
        "replicas": existing.replicas,
        "readyReplicas": sum(pod.ready for pod in existing.pods) if existing.pods else None,
        **{name: _value(value) for name, value in known.items()},
        "currency": currency,
        "waste": [_finding(one) for one in review.findings],
        "bestChange": _change(review.change),
        "whyNot": review.why_not,
        "traffic": _traffic(review),
        "assumptions": list(existing.assumed),
        "unknown": _unknown(known),
    }


def _unknown(known: "dict[str, Any]") -> list[str]:
    """Return why figures are not known; for a release that is not, the newest is assumed and told among those."""
    from costpolicy.observe.source import Missing

    missing = [value for name, value in known.items() if isinstance(value, Missing) and name != "engineVersion"]
    return list(dict.fromkeys(one.message for one in missing))


def _value(value: "str | int | Money | Missing") -> str | int | None:
    from costpolicy.observe.source import Missing

    if isinstance(value, Missing):
        return None
    return value if isinstance(value, (str, int)) else value.text(2)


def _micros(money: "Money | None") -> int:
    return 0 if money is None else money.micros


def _finding(finding: "Finding") -> dict[str, Any]:
    return {
        "finding": finding.name.value,
        "evidence": finding.evidence,
        "advice": finding.advice,
        "costPerHour": None if finding.wasted is None else finding.wasted.text(2),
    }


def _change(change: "Change | None") -> dict[str, Any] | None:
    if change is None:
        return None
    from costpolicy.planning.explain import describe

    return {
        "change": "; ".join(change.steps),
        "to": describe(change.target.configuration, change.target.replicas),
        "costPerHour": change.target.cost_per_hour.text(2),
        "savesPerHour": change.saves.text(2),
        "savesPerMonth": change.saves.monthly().text(2),
        "needsQualityProof": change.alters_answers,
    }


def _traffic(review: "Review") -> dict[str, Any] | None:
    from costpolicy.planning.demand import Demand

    demand = review.demand
    if not isinstance(demand, Demand):
        return None
    return {
        "source": demand.source,
        "requestsPerSecond": float(f"{demand.requests_per_second:.3g}"),
        "promptTokens": round(demand.prompt_tokens),
        "outputTokens": round(demand.output_tokens),
        "cachedTokens": round(demand.cached_tokens),
    }
