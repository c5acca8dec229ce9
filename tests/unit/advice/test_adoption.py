"""A policy for what runs: its plan is what runs, and it can be loosened to be shown what is cheaper.

Covered: the round trip from a plan to a Deployment to a policy to the same plan.  Not covered: splits and shares of memory
that a plan would not choose, which the API cannot order.
"""

from typing import Any

import pytest
import yaml

from builders import node, offering, policy, policy_document, price_book_document
from costpolicy.advice.adoption import Promise, advising_policy, as_it_runs, serving_policy, source_of
from costpolicy.advice.existing import Existing, Surroundings, existing_of
from costpolicy.api.documents import parse_document
from costpolicy.api.policy import CostPolicy, TrafficSpec
from costpolicy.catalog.prices import merge_books
from costpolicy.cli.offline import Planned, plan_offline
from costpolicy.cli.render import _objects
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration
from foreign import REPOSITORY, container, deployment, pods
from staging import START

BOOK = parse_document(
    price_book_document(
        offerings=[
            {"accelerator": name, "capacityType": kind, "hourly": hourly}
            for name, kind, hourly in (
                ("nvidia-h100-80gb", "OnDemand", "2.50"),
                ("nvidia-l40s", "OnDemand", "1.86"),
                ("nvidia-l40s", "Spot", "0.70"),
                ("nvidia-l4", "OnDemand", "0.80"),
            )
        ]
    )
)
PRICES = merge_books([BOOK], START)
TRAFFIC = TrafficSpec(requests_per_second=6, prompt_tokens=1500, output_tokens=300)
SEVENTY = {"name": "big", "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-70B-Instruct"}}}


def deployed(planned: Planned) -> dict[str, Any]:
    """The Deployment that a plan is applied as."""
    [found, *_] = _objects(planned, planned.plan.target)
    assert found["kind"] == "Deployment"
    return found


def adopted(of: dict[str, Any], accelerator: str, *, spot: bool = False) -> CostPolicy:
    labels = {"karpenter.sh/capacity-type": "spot"} if spot else {}
    carrier = node(accelerator=accelerator)
    around = Surroundings(
        pods=pods(of),
        nodes=[node("gpu-1", accelerator, labels={**carrier.labels, **labels})],
        offerings=PRICES.offerings,
    )
    existing = existing_of(of, around)
    assert isinstance(existing, Existing)
    assert isinstance(existing.configuration, Configuration), existing.configuration
    document = as_it_runs(
        serving_policy(existing, Promise(inter_token=""), source_of(existing)), existing, existing.configuration
    )
    found = parse_document(yaml.safe_load(yaml.safe_dump(document)))
    assert isinstance(found, CostPolicy)
    return found


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"model": SEVENTY},
        {"model": {**SEVENTY, "contextLength": 8192}, "techniques": {"quantization": {"mode": "Enabled"}}},
        {
            "model": SEVENTY,
            "techniques": {"quantization": {"mode": "Enabled"}, "kvCacheQuantization": {"mode": "Enabled"}},
        },
        {"hardware": {"accelerators": ["nvidia-l4"]}, "model": {"contextLength": 16384}},
        {"hardware": {"accelerators": ["nvidia-l40s"], "capacityTypes": ["Spot"]}},
        {"techniques": {"batching": {"maxNumSeqs": 48, "maxNumBatchedTokens": 4096}}},
        {"techniques": {"speculativeDecoding": {"mode": "Enabled", "method": "ngram", "tokens": 4}}},
        {"techniques": {"prefixCaching": {"mode": "Disabled"}}},
        {"engine": {"extraArgs": ["--enforce-eager", "--seed=7"]}},
        {"scaling": {"minReplicas": 3}},
    ],
)
def test_the_plan_of_the_policy_for_what_runs_is_what_runs(spec: dict[str, Any]):
    planned = plan_offline(policy(**{"objectives": {"ttft": {"p95": "1s"}}, **spec}), PRICES, TRAFFIC)
    before = planned.plan.target
    spot = before.configuration.capacity_type == "Spot"
    again = plan_offline(adopted(deployed(planned), before.configuration.accelerator, spot=spot), PRICES, TRAFFIC)

    assert (before.configuration, before.replicas) == (again.plan.target.configuration, again.plan.target.replicas)
    assert before.cost_per_hour == again.plan.target.cost_per_hour
    args = deployed(planned)["spec"]["template"]["spec"]["containers"][0]["args"]
    assert args == deployed(again)["spec"]["template"]["spec"]["containers"][0]["args"]


def seen(*args: str, **pod: Any) -> Existing:
    box = container(list(args), gpus=1, **pod.pop("box", {}))
    of = deployment(box, name=pod.pop("name", "theirs"), **pod)
    found = existing_of(of, Surroundings(pods=pods(of), nodes=[node()], offerings=[offering()]))
    assert isinstance(found, Existing)
    return found


CLAIM = [{"name": "weights", "persistentVolumeClaim": {"claimName": "models"}}, {"name": "tmp", "emptyDir": {}}]


@pytest.mark.parametrize(
    ("model", "mount", "volume"),
    [
        ("/models/llama", {"mountPath": "/models"}, {"claimName": "models", "path": "llama"}),
        ("/models", {"mountPath": "/models"}, {"claimName": "models"}),
        ("/m/x", {"mountPath": "/m", "subPath": "deep"}, {"claimName": "models", "path": "deep/x"}),
    ],
)
def test_weights_of_a_claim_are_its_folder(model: str, mount: dict[str, str], volume: dict[str, str]):
    box = {"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "weights", **mount}]}

    assert {"volume": volume} == source_of(seen("--model", model, box=box, volumes=CLAIM))


def test_weights_that_are_nowhere_to_be_found_are_missing():
    source = source_of(seen("--model", "/data/llama", volumes=CLAIM))

    assert isinstance(source, Missing)
    assert "state spec.model.source" in source.message


def test_a_revision_is_kept():
    source = source_of(seen("--model", REPOSITORY, "--revision=abc"))

    assert {"huggingFace": {"repository": REPOSITORY, "revision": "abc"}} == source


def test_the_policy_that_advises_leaves_the_deployment_to_its_owner():
    document = advising_policy(seen("--model", REPOSITORY), Promise(inter_token=""))
    found = parse_document(document)

    assert ("theirs", "Recommend") == (found.spec.target_ref.name, found.spec.rollout.mode)
    assert {"ttft": {"p95": "1s"}} == document["spec"]["objectives"]


@pytest.mark.parametrize("name", ["9lives", "a" * 60, "with.dots-and-more", "x" * 39 + "-tail"])
def test_names_fit_the_kind(name: str):
    assert isinstance(parse_document(advising_policy(seen("--model", REPOSITORY, name=name), Promise())), CostPolicy)


def test_arguments_that_no_field_decides_are_kept_and_those_that_one_decides_are_not():
    args = ("--model", REPOSITORY, "--port=80", "--seed", "7", "--enforce-eager", "-cc.mode=3", "--max-num-seqs=9")
    document = serving_policy(seen(*args), Promise(), {"huggingFace": {"repository": REPOSITORY}})

    assert ["--seed=7", "--enforce-eager", "-cc.mode=3"] == document["spec"]["engine"]["extraArgs"]
    assert policy_document()["kind"] == document["kind"]
