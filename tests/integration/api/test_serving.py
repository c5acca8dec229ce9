"""What the API server makes of our kinds: defaults, the status subresource, columns, explanations."""

import json
from datetime import UTC, datetime

import pytest
import yaml

from cluster.api_server import ApiServer
from costpolicy.api.conditions import ConditionType, Reason, condition, merge_conditions
from costpolicy.api.policy import CostPolicy
from costpolicy.api.status import CostPolicyStatus, MeasurementStatus, PlanSummary
from costpolicy.kube.connection import Connection
from costpolicy.kube.errors import Invalid
from plain_documents import OFFERING, book, policy, with_path

POLICIES = "/apis/costpolicy.dev/v1alpha1/namespaces/default/costpolicies"
STATUS = CostPolicyStatus(
    observed_generation=1,
    conditions=merge_conditions(
        (), (condition(ConditionType.READY, True, Reason.SERVING, generation=1),), datetime(2026, 11, 22, tzinfo=UTC)
    ),
    current=PlanSummary(
        accelerator="nvidia-l4",
        capacity_type="OnDemand",
        accelerators_per_replica=1,
        tensor_parallel_size=1,
        weights="bf16",
        kv_cache_dtype="auto",
        replicas=2,
        cost_per_hour="1.60",
    ),
    measurement=MeasurementStatus(saved_per_hour="0.85"),
)


def patch_status(server: Connection, name: str, status: dict[str, object]) -> None:
    server.request(
        "PATCH",
        f"{POLICIES}/{name}/status",
        body={"status": status},
        content_type="application/merge-patch+json",
    )


def test_plain_values_get_their_defaults_and_absent_objects_stay_absent(administrator: Connection):
    document = with_path(policy(name="defaults"), "scaling", {"maxReplicas": 3})

    stored = administrator.request("POST", POLICIES, body=document)

    assert stored["spec"]["scaling"] == {"minReplicas": 1, "maxReplicas": 3, "provider": "Operator"}
    assert stored["spec"].keys() == {"model", "objectives", "scaling", "deletionPolicy"}
    assert CostPolicy.model_validate(document).spec == CostPolicy.model_validate(stored).spec


def test_an_offering_without_a_date_holds_since_ever(administrator: Connection):
    stored = administrator.request("POST", "/apis/costpolicy.dev/v1alpha1/pricebooks", body=book(offerings=[OFFERING]))

    assert stored["spec"]["offerings"][0]["effectiveFrom"] == "1970-01-01"
    assert stored["spec"]["priority"] == 0


def test_status_is_written_apart_and_leaves_the_generation_alone(administrator: Connection):
    created = administrator.request("POST", POLICIES, body=policy(name="status") | {"status": STATUS.to_json()})
    assert "status" not in created

    patch_status(administrator, "status", STATUS.to_json())

    stored = administrator.request("GET", f"{POLICIES}/status")
    assert stored["metadata"]["generation"] == 1
    assert CostPolicy.model_validate(stored).status == STATUS


def test_a_condition_with_an_unknown_status_is_refused(administrator: Connection):
    administrator.request("POST", POLICIES, body=policy(name="odd-status"))
    wrong = {"conditions": [{"type": "Ready", "status": "Perhaps", "reason": "Serving"}]}

    with pytest.raises(Invalid, match="Perhaps"):
        patch_status(administrator, "odd-status", wrong)


def test_kubectl_get_shows_the_columns(api_server: ApiServer, administrator: Connection):
    administrator.request("POST", POLICIES, body=policy(name="columns"))
    patch_status(administrator, "columns", STATUS.to_json())

    head, row = api_server.kubectl("get", "cpol", "columns").splitlines()

    assert head.split() == ["NAME", "MODEL", "ACCELERATOR", "REPLICAS", "$/H", "SAVED", "READY", "AGE"]
    assert row.split()[:-1] == ["columns", "chat", "nvidia-l4", "2", "1.60", "0.85", "True"]


def test_all_kinds_answer_to_their_category(api_server: ApiServer, administrator: Connection):
    administrator.request("POST", POLICIES, body=policy(name="category"))

    assert "costpolicy.costpolicy.dev/category" in api_server.kubectl("get", "costpolicy-all", "-o", "name")
    kinds = api_server.kubectl("api-resources", "--api-group=costpolicy.dev", "-o", "name").split()
    assert kinds == ["costpolicies.costpolicy.dev", "modelroutes.costpolicy.dev", "pricebooks.costpolicy.dev"]


@pytest.mark.parametrize("word", ["cpol", "costpolicy", "costpolicies"])
def test_kubectl_finds_a_policy_by_its_name(api_server: ApiServer, administrator: Connection, word: str):
    administrator.request("POST", POLICIES, body=policy(name=f"named-{word}"))

    assert api_server.kubectl("get", word, f"named-{word}", "-o", "name").strip().endswith(f"/named-{word}")


def test_kubectl_wait_understands_the_conditions(api_server: ApiServer, administrator: Connection):
    administrator.request("POST", POLICIES, body=policy(name="waited"))
    patch_status(administrator, "waited", STATUS.to_json())

    assert "condition met" in api_server.kubectl("wait", "--for=condition=Ready", "cpol/waited", "--timeout=5s")


def test_kubectl_explain_describes_a_field(api_server: ApiServer):
    explained = api_server.kubectl("explain", "costpolicy.spec.techniques.quantization.formats")

    assert "all that need no checkpoint" in explained


def test_the_schema_has_no_structural_problem(api_server: ApiServer):
    listed = json.loads(api_server.kubectl("get", "crd", "-o", "json"))

    for crd in listed["items"]:
        conditions = {each["type"]: each["status"] for each in crd["status"]["conditions"]}
        assert conditions == {"NamesAccepted": "True", "Established": "True"}


def test_client_side_apply_can_carry_the_definitions(api_server: ApiServer):
    for crd in json.loads(api_server.kubectl("get", "crd", "-o", "json"))["items"]:
        del crd["status"]
        # kubectl keeps the whole object in an annotation, and annotations end at 256 KiB.
        assert len(json.dumps(crd)) < 200 * 1024
        assert yaml.safe_load(json.dumps(crd)) == crd
