"""The operator with its real reconciler on a real API server, under the chart's service account.

Covered: from a policy to Deployment, Services, status and events; silence when nothing changes; what kstatus concludes
in each situation; owners of fields; changes; orphans; names that are taken; a policy that cannot be read any more.
Not covered: pods and schedulers (tests/e2e), metrics (tests/contract/observe), decisions (tests/unit/reconcile).
"""

import json

import pytest

from costpolicy.api.conditions import kstatus
from costpolicy.kube.gateway import VARIANT_LABEL, ObjectRef, reference
from costpolicy.kube.ownership import owners_of
from stories import H100, L40S, chat
from waiting import wait_until

ON_L40S, ON_H100 = {"accelerators": [L40S]}, {"accelerators": [H100]}


def here(cluster, name="chat", **spec):
    return chat(name, namespace=cluster.namespace, **spec)


def serving(cluster, name="chat", **spec):
    """Create a policy and make its replicas ready; return when the operator has seen that."""
    cluster.create(here(cluster, name, **spec))
    wait_until(lambda: len(cluster.deployments(name)) == 1 and cluster.condition("Ready", name) is not None)
    cluster.all_ready(name)
    wait_until(lambda: cluster.condition("Ready", name) == ("True", "Serving"))


def test_a_policy_becomes_a_deployment_services_a_status_and_events(cluster, running):
    created = cluster.create(here(cluster))
    assert "InProgress" == kstatus({**created, "status": {"observedGeneration": 0}})
    wait_until(lambda: cluster.condition("Ready") == ("False", "WaitingForReplicas"))
    assert "InProgress" == kstatus(cluster.policy())

    (deployment,) = cluster.deployments()
    variant = deployment["metadata"]["labels"][VARIANT_LABEL]
    assert [f"chat-{variant}"] == [deployment["metadata"]["name"]]
    assert ["chat", f"chat-{variant}"] == sorted(item["metadata"]["name"] for item in cluster.services())
    for child in (deployment, *cluster.services()):
        assert [created["metadata"]["uid"]] == [owner["uid"] for owner in child["metadata"]["ownerReferences"]]

    cluster.all_ready()
    wait_until(lambda: cluster.condition("Ready") == ("True", "Serving"))
    status = cluster.policy()["status"]
    assert "Current" == kstatus(cluster.policy())
    assert (L40S, 1, "1.86") == (
        status["current"]["accelerator"],
        status["current"]["replicas"],
        status["current"]["costPerHour"],
    )
    assert ("False", "PrometheusUnreachable") == cluster.condition("MetricsAvailable")
    wait_until(lambda: {"Planned", "PrometheusUnreachable"} <= set(cluster.events()))
    assert ["Planned", "PrometheusUnreachable"] == cluster.events()


def test_ten_cycles_in_which_nothing_changes_write_nothing(cluster, running):
    names = ("one", "two", "three")
    for name in names:
        serving(cluster, name)
    # Its plans are made one a cycle; a playbook that has become whole is a change.
    wait_until(lambda: all(cluster.policy(name)["status"].get("playbook") for name in names), seconds=60)
    done = running.reconciles()
    wait_until(lambda: running.reconciles() >= done + 6)
    written, done = running.writes(), running.reconciles()
    wait_until(lambda: running.reconciles() >= done + 30, seconds=60)

    assert written == running.writes()


def test_replicas_belong_to_the_second_field_manager_alone(cluster, running):
    serving(cluster)
    (deployment,) = cluster.deployments()

    assert {"costpolicy-replicas"} == owners_of(deployment, ("spec", "replicas"))
    assert {"costpolicy"} == owners_of(deployment, ("spec", "minReadySeconds"))


def test_what_somebody_changes_by_hand_is_put_right(cluster, running):
    serving(cluster)
    (before,) = cluster.deployments()
    cluster.edit(reference(before), {"spec": {"minReadySeconds": 77}})
    cluster.remove(next(reference({**item, "apiVersion": "v1", "kind": "Service"}) for item in cluster.services()))

    wait_until(lambda: cluster.deployments()[0]["spec"] == before["spec"])
    wait_until(lambda: len(cluster.services()) == 2)


def test_an_edit_is_rolled_out_and_the_policy_is_in_progress_meanwhile(cluster, running):
    serving(cluster, hardware=ON_L40S)
    edited = cluster.edit(reference(cluster.policy()), {"spec": {"hardware": ON_H100}})
    wait_until(lambda: len(cluster.deployments()) == 2)
    wait_until(lambda: cluster.policy()["status"]["observedGeneration"] == edited["metadata"]["generation"])
    assert "InProgress" == kstatus(cluster.policy())
    assert ("True", "Serving") == cluster.condition("Ready")

    cluster.all_ready()
    wait_until(lambda: len(cluster.deployments()) == 1, seconds=40)
    wait_until(lambda: cluster.policy()["status"]["current"]["accelerator"] == H100)
    assert "Current" == kstatus(cluster.policy())
    assert 1 == len(cluster.policy()["status"]["history"])
    assert {"RolloutStarted", "Promoted"} <= set(cluster.events())
    assert 2 == len(cluster.services())


def test_a_better_plan_in_mode_initial_is_shown_and_leaves_the_policy_current(cluster, running):
    serving(cluster, hardware=ON_H100)
    cluster.edit(reference(cluster.policy()), {"spec": {"hardware": None, "rollout": {"mode": "Recommend"}}})
    wait_until(lambda: cluster.condition("Ready") == ("True", "Planned"))

    assert "Current" == kstatus(cluster.policy())
    assert L40S == cluster.policy()["status"]["target"]["accelerator"]
    assert H100 == cluster.policy()["status"]["current"]["accelerator"]
    assert 1 == len(cluster.deployments())


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"hardware": {"accelerators": ["nvidia-h10"]}}, "UnknownAccelerator"),
        ({"objectives": {"ttft": {"p95": "1ms"}}}, "ObjectiveUnreachable"),
        ({"budget": {"hourly": "1.00", "currency": "EUR"}}, "CurrencyMismatch"),
    ],
)
def test_what_only_its_owner_can_mend_is_failed_and_then_recovers(cluster, running, spec, reason):
    cluster.create(here(cluster, **spec))
    wait_until(lambda: cluster.condition("Stalled") == ("True", reason))
    assert "Failed" == kstatus(cluster.policy())
    assert [] == cluster.deployments()

    mended = {key: None for key in spec if key != "objectives"} | {"objectives": {"ttft": {"p95": "500ms"}}}
    cluster.edit(reference(cluster.policy()), {"spec": mended})
    wait_until(lambda: len(cluster.deployments()) == 1)
    wait_until(lambda: "Failed" != kstatus(cluster.policy()))  # status is written after the Deployment


def test_a_service_of_the_planned_name_that_is_not_ours_is_left_alone(cluster, running):
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}
    taken = cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "chat", "namespace": cluster.namespace},
            "spec": {"ports": [port], "selector": {"app": "theirs"}},
        }
    )
    cluster.create(here(cluster))
    wait_until(lambda: cluster.condition("Stalled") == ("True", "NameTaken"))

    assert taken == cluster.get(reference(taken))
    assert [] == cluster.deployments()
    assert "Failed" == kstatus(cluster.policy())

    cluster.remove(reference(taken))
    wait_until(lambda: len(cluster.deployments()) == 1)


def test_a_name_at_the_length_limit_works_like_any_other(cluster, running):
    name = "a" * 40
    serving(cluster, name)

    assert 51 == len(cluster.deployments(name)[0]["metadata"]["name"])


def test_two_policies_of_one_model_name_are_told_apart_by_age(cluster, running):
    serving(cluster, "first", model={"name": "llama"})
    wait_until(lambda: _older(cluster, "first"))
    cluster.create(here(cluster, "second", model={"name": "llama"}))
    wait_until(lambda: cluster.condition("Stalled", "second") == ("True", "ModelNameTaken"))

    assert ("True", "Serving") == cluster.condition("Ready", "first")
    assert [] == cluster.deployments("second")


def test_orphans_carry_no_owner_and_stay(cluster, running):
    serving(cluster, deletionPolicy="Orphan")
    policy = cluster.policy()
    assert not any("ownerReferences" in item["metadata"] for item in (*cluster.deployments(), *cluster.services()))

    cluster.remove(reference(policy))
    done = running.reconciles()
    cluster.create(here(cluster, "other"))
    wait_until(lambda: running.reconciles() >= done + 4)
    assert 1 == len(cluster.deployments())


def test_children_become_orphans_when_the_policy_says_so(cluster, running):
    serving(cluster)
    cluster.edit(reference(cluster.policy()), {"spec": {"deletionPolicy": "Orphan"}})

    wait_until(
        lambda: not any("ownerReferences" in item["metadata"] for item in (*cluster.deployments(), *cluster.services()))
    )
    wait_until(lambda: kstatus(cluster.policy()) == "Current")


def test_a_policy_of_an_older_schema_is_stalled_and_its_children_stay(cluster, running):
    """The schema once was wider: what it let in is still stored, and cannot be read any more."""
    serving(cluster)
    before = cluster.deployments()
    definition = ObjectRef(
        api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition", name="costpolicies.costpolicy.dev"
    )
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition.name}"
    schema = ("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/wish", {"type": "string"})
    add, remove = (
        [{"op": "add", "path": schema[0], "value": schema[1]}],
        [{"op": "remove", "path": schema[0]}],
    )

    def change(patch):
        cluster.connection.request("PATCH", path, body=patch, content_type="application/json-patch+json")

    def wished() -> bool:
        # Again and again: while the API server changes over, a write by the old schema may still prune the field.
        cluster.edit(reference(cluster.policy()), {"spec": {"wish": "a pony"}})
        return bool(cluster.condition("Stalled") == ("True", "InvalidPolicy"))

    change(add)
    try:
        wait_until(wished)
    finally:
        cluster.edit(reference(cluster.policy()), {"spec": {"wish": None}})
        change(remove)

    assert before == cluster.deployments()
    wait_until(lambda: cluster.condition("Stalled") == ("False", "Serving"))
    assert "pony" not in json.dumps(cluster.policy()["spec"])


def _older(cluster, name):
    """Ages are told in whole seconds."""
    probe = cluster.create(here(cluster, "probe", rollout={"mode": "Off"}))
    cluster.remove(reference(probe))
    return bool(probe["metadata"]["creationTimestamp"] > cluster.policy(name)["metadata"]["creationTimestamp"])
