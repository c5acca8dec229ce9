"""Every example is what it says: the real API server takes it, and the command line plans and renders it.

Not covered: applying it to nodes; the end-to-end ring does that with some of them.
"""

import io
import json
from pathlib import Path

import pytest

from cluster.api_server import ApiServer
from costpolicy.api.documents import parse_documents
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.cli.console import Console
from costpolicy.cli.main import main

EXAMPLES = Path(__file__).parents[2] / "examples"
PRICES = EXAMPLES / "pricebook.yaml"
POLICIES = sorted(set(EXAMPLES.glob("*.yaml")) - {PRICES})


ROUTING = sorted((EXAMPLES / "routing").glob("*.yaml"))
KINDS = [path for path in ROUTING if "costpolicy.dev/v1alpha1" in path.read_text()]


def costpolicy(*arguments: str | Path) -> str:
    out, err = io.StringIO(), io.StringIO()
    code = main([str(argument) for argument in arguments], Console(out=out, err=err))
    assert code == 0, out.getvalue() + err.getvalue()
    return out.getvalue()


def planned(example: Path) -> dict[str, object]:
    answer = json.loads(costpolicy("plan", "-f", PRICES, "-f", example, "-o", "json"))
    target: dict[str, object] = answer["target"]
    return target


@pytest.mark.parametrize("example", [PRICES, *POLICIES, *KINDS], ids=lambda path: path.stem)
def test_the_api_server_takes_it_without_a_warning(api_server: ApiServer, example: Path):
    api_server.kubectl("apply", "--server-side", "--warnings-as-errors", "-f", str(example))


@pytest.mark.parametrize("example", POLICIES, ids=lambda path: path.stem)
def test_it_is_planned_and_rendered(example: Path):
    assert planned(example)["replicas"]
    assert "kind: Deployment" in costpolicy("render", "-f", PRICES, "-f", example)


def test_the_route_of_the_examples_names_a_policy_and_prices_that_are_examples_too():
    documents = [one for path in (*KINDS, *POLICIES) for one in parse_documents(path.read_text())]
    routes = [one for one in documents if isinstance(one, ModelRoute)]
    policies = {one.metadata.name for one in documents if isinstance(one, CostPolicy)}
    prices = {
        (price.provider, price.model)
        for one in documents
        if isinstance(one, PriceBook)
        for price in one.spec.token_prices
    }
    tiers = [tier for route in routes for tier in route.spec.tiers]

    assert len(tiers) == 3
    assert {tier.policy_ref.name for tier in tiers if tier.policy_ref} <= policies
    assert {(tier.external.provider, tier.external.model) for tier in tiers if tier.external} == prices


def test_the_route_of_the_examples_is_rendered():
    files = [EXAMPLES / "chat-8b.yaml", *KINDS, PRICES]
    sources = [argument for file in files for argument in ("-f", file)]
    out = costpolicy("render", *sources, "--router-image", "registry.example.com/litellm@sha256:1")

    assert "name: costpolicy-router" in out


def test_int8_halves_the_accelerators_of_the_70b_example():
    whole, halved = planned(EXAMPLES / "llama-70b.yaml"), planned(EXAMPLES / "llama-70b-int8.yaml")

    assert (2, "bf16") == (whole["acceleratorsPerReplica"], whole["weights"])
    assert (1, "int8") == (halved["acceleratorsPerReplica"], halved["weights"])


def test_the_two_70b_examples_differ_in_one_edit():
    lines = [
        [line for line in (EXAMPLES / name).read_text().splitlines() if not line.lstrip().startswith("#")]
        for name in ("llama-70b.yaml", "llama-70b-int8.yaml")
    ]

    assert lines[0] == lines[1][: len(lines[0])]
    assert ["  techniques:", "    quantization: {mode: Enabled, formats: [int8]}"] == lines[1][len(lines[0]) :]
