"""``costpolicy render`` of ModelRoutes: the router of each namespace, as the operator would apply it with nothing proven.

Not covered: what is in the objects (tests/unit/manifests/router, tests/golden).
"""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import policy_document
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from routed import BOTH_PROVEN, external, hosted, prices, route_document

IMAGE = ("--router-image", "registry.example/litellm@sha256:1")
MIXED = (hosted("chat", "0.6"), external("large"))


def render(*arguments: str, documents: list[Any]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(yaml.safe_dump_all(documents)))
    code = main(("render", "-f", "-", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def of(kind: str, text: str) -> list[Any]:
    return [item for item in yaml.safe_load_all(text) if item["kind"] == kind]


def test_a_route_is_rendered_beside_its_policies():
    documents = [policy_document(), route_document(MIXED, name="assistant"), prices().to_json()]
    code, out, err = render(*IMAGE, documents=documents)
    [configuration] = of("ConfigMap", out)
    models = yaml.safe_load(configuration["data"]["config.yaml"])["model_list"]

    assert 0 == code
    assert ["assistant", "assistant/chat", "assistant/large"] == [each["model_name"] for each in models]
    assert "http://chat.default.svc:8000/v1" == models[1]["litellm_params"]["api_base"]
    assert 2 == len(of("Deployment", out)), "the policy's and the router's"
    assert "default/assistant: " in err, "nothing is proven, and that is said"


def test_nothing_is_sent_to_a_tier_by_complexity():
    _, out, _ = render(*IMAGE, documents=[route_document(), prices().to_json()])
    [configuration] = of("ConfigMap", out)
    tiers = json.loads(configuration["data"]["routes.json"])["routes"]["chat"]["tiers"]

    assert [["name", "policy"]] * 3 == [sorted(each) for each in tiers]


def test_each_namespace_has_a_router_of_its_own():
    elsewhere = route_document()
    elsewhere["metadata"]["namespace"] = "shop"
    _, out, _ = render(*IMAGE, documents=[route_document(), elsewhere, prices().to_json()])

    assert ["default", "shop"] == [each["metadata"]["namespace"] for each in of("Deployment", out)]


def test_a_schedule_is_rendered_where_the_operators_image_is_named():
    nightly = {**BOTH_PROVEN, "schedule": "0 3 * * *", "storage": {"claimName": "traffic"}}
    documents = [route_document(calibration=nightly), prices().to_json()]
    _, without, _ = render(*IMAGE, documents=documents)
    _, out, _ = render(*IMAGE, "--operator-image", "operator:1", documents=documents)

    assert [] == of("CronJob", without)
    assert ["chat-calibration"] == [each["metadata"]["name"] for each in of("CronJob", out)]


@pytest.mark.parametrize(
    ("arguments", "documents", "said"),
    [
        ((), [route_document()], "name its image, with its digest, in --router-image"),
        (IMAGE, [route_document(MIXED)], "there is no CostPolicy chat in this namespace"),
        (IMAGE, [prices().to_json()], "no CostPolicy and no ModelRoute in the given files"),
    ],
    ids=["no image", "no policy", "no route"],
)
def test_wrong_input_is_told_with_the_fix(arguments: tuple[str, ...], documents: list[Any], said: str):
    code, _, err = render(*arguments, documents=documents)

    assert 2 == code
    assert said in err


def test_a_file_with_routes_alone_needs_no_policy(tmp_path: Path):
    path = tmp_path / "route.yaml"
    path.write_text(yaml.safe_dump_all([route_document(), prices().to_json()]))
    out = io.StringIO()
    code = main(("render", "-f", str(path), *IMAGE, "-o", "json"), Console(out=out, err=io.StringIO()))

    assert (0, "List") == (code, json.loads(out.getvalue())["kind"])
