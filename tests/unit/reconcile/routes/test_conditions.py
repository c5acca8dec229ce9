"""What a route's conditions say, and what its router is told meanwhile: bad input, tiers that are away, a router that starts.

Not covered: thresholds (``test_thresholds``), writes (``test_reconciler`` and the integration ring).
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from costpolicy.api.conditions import ConditionType, kstatus
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.reasons import Reason
from costpolicy.kube.gateway import Pod
from costpolicy.reconcile.snapshot import MetricsDown
from routed import NOW, external, hosted, proof_data, route, route_document, running, seen, serving, snapshot, told

MIXED = (hosted("llama", "0.6"), external("large"))
PROVEN = {"calibration": {"configMapRef": {"name": "proof"}}}
DATA = {"proof": proof_data("0.6")}


def mixed(**changed):
    policies = {"policies": {"llama": serving("llama")}, **changed}
    return snapshot(route(MIXED, **PROVEN), proofs=DATA, **policies)


def pod(**fields) -> Pod:
    empty = {"node": "", "phase": "Pending", "ready": False, "terminating": False, "restarts": 0, "requests": {}}
    return Pod(name="costpolicy-router-a", namespace="default", labels={}, **{**empty, **fields})


def rendered(found) -> list[str]:
    """The tiers that the router is told of, as LiteLLM's model names."""
    [configuration] = [item for item in found.decision.objects if item["kind"] == "ConfigMap"]
    import yaml

    return [entry["model_name"] for entry in yaml.safe_load(configuration["data"]["config.yaml"])["model_list"]]


def test_a_route_is_in_progress_until_every_replica_has_its_configuration():
    first = seen(mixed())
    half = seen(running(mixed(), ready=1))
    done = seen(running(mixed()))

    assert first.says(ConditionType.READY) == ("False", Reason.WAITING_FOR_REPLICAS)
    assert first.says(ConditionType.RECONCILING)[0] == half.says(ConditionType.RECONCILING)[0] == "True"
    assert done.says(ConditionType.READY) == ("True", Reason.SERVING)
    assert done.says(ConditionType.STALLED)[0] == done.says(ConditionType.RECONCILING)[0] == "False"
    document = {"metadata": {"generation": 1}, "status": done.status.to_json()}
    assert kstatus(document) == "Current"


def test_a_change_that_comes_from_elsewhere_leaves_a_route_ready():
    serving_now = told(running(mixed()))
    dearer = replace(serving_now, policies={"llama": serving("llama", planned="9")})

    changed = seen(dearer, now=NOW + timedelta(days=1))  # for so long a price holds
    assert changed.decision.objects != seen(serving_now).decision.objects
    assert changed.says(ConditionType.READY) == ("True", Reason.SERVING)


def test_an_edit_is_not_ready_before_the_router_has_it():
    before = told(running(mixed()))
    [old] = before.routes
    document = route_document(MIXED, **PROVEN, outputLength={"mode": "Enforce", "maxTokens": 50})
    document["metadata"]["generation"] = 2
    edited = ModelRoute.model_validate(document | {"status": old.status.to_json()})
    found = seen(replace(before, routes=(edited,)))

    assert found.says(ConditionType.READY) == ("False", Reason.WAITING_FOR_REPLICAS)
    assert found.status.observed_generation == 2


def test_a_tier_whose_policy_has_no_replica_is_answered_by_its_fallback_which_is_said():
    away = {"llama": serving("llama", ready=0)}
    found = seen(running(mixed(policies=away)))

    assert found.says(ConditionType.TIERS_READY) == ("False", Reason.TIER_NOT_READY)
    message = found.condition(ConditionType.TIERS_READY).message
    assert "CostPolicy llama is not ready (WaitingForReplicas: it loads); large answers in its place" in message
    assert found.says(ConditionType.READY) == ("True", Reason.SERVING)
    assert found.below["llama"] == "0.6"


def test_a_route_of_which_no_tier_can_answer_is_not_ready():
    tiers = (hosted("llama", "0.6"), hosted("qwen"))
    away = {name: serving(name, ready=0) for name in ("llama", "qwen")}
    found = seen(running(snapshot(route(tiers, **PROVEN), proofs=DATA, policies=away)))

    assert found.says(ConditionType.READY) == ("False", Reason.TIER_NOT_READY)
    assert "nobody answers in its place" in found.condition(ConditionType.READY).message


def test_every_tier_answers():
    assert seen(mixed()).says(ConditionType.TIERS_READY) == ("True", Reason.TIERS_ANSWER)


def stalled(found, reason: Reason, says: str):
    assert found.says(ConditionType.STALLED) == ("True", reason)
    assert says in found.condition(ConditionType.STALLED).message
    assert found.says(ConditionType.RECONCILING)[0] == "False"


def test_an_unknown_policy_is_left_out_and_the_others_are_served():
    found = seen(running(mixed(policies={})))

    stalled(found, Reason.POLICY_NOT_FOUND, "there is no CostPolicy llama in this namespace; create it")
    assert rendered(found) == ["chat", "chat/large"]
    assert found.says(ConditionType.READY) == ("True", Reason.SERVING)
    assert found.says(ConditionType.ROUTING) == ("False", Reason.POLICY_NOT_FOUND)
    assert found.says(ConditionType.TIERS_READY) == ("False", Reason.POLICY_NOT_FOUND)


def test_where_the_trusted_tier_is_unknown_its_fallback_answers_everything():
    tiers = (external("small", "0.6"), hosted("llama"))
    found = seen(snapshot(route(tiers, **PROVEN), proofs=DATA))

    stalled(found, Reason.POLICY_NOT_FOUND, "create it")
    assert found.condition(ConditionType.ROUTING).message.startswith("small answers everything")
    assert rendered(found) == ["chat", "chat/small"]


def test_a_policy_that_only_advises_has_no_service():
    advising = serving("llama").model_copy(update={"spec": serving("llama").spec.model_copy(update={"model": None})})

    stalled(seen(mixed(policies={"llama": advising})), Reason.POLICY_ONLY_ADVISES, "external tier with baseURL")


def test_fallbacks_that_lead_in_a_circle_give_way_to_the_usual_ones():
    tiers = (
        external("small", "0.6", fallbacks=["large"]),
        external("medium", "0.9"),
        external("large", fallbacks=["small"]),
    )
    found = seen(snapshot(route(tiers)))

    stalled(found, Reason.FALLBACK_CYCLE, "small to large to small")
    assert found.decision.objects != ()


def test_a_schedule_that_cannot_be_read():
    calibration = {"schedule": "0 25 * * *", "storage": {"claimName": "samples"}}

    stalled(seen(snapshot(route(calibration=calibration))), Reason.INVALID_SCHEDULE, "spec.calibration.schedule")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"router": {"masterKeySecretRef": {"name": "mine"}}}, "spec.router.masterKeySecretRef differs"),
        ({"router": {"databaseSecretRef": {"name": "mine"}}}, "spec.router.databaseSecretRef differs"),
        ({"attribution": {"header": "x-team"}}, "spec.attribution.header differs"),
        (
            {"attribution": {"tenants": [{"name": "shop", "keySecretRef": {"name": "mine"}}]}},
            "keySecretRef of shop differs",
        ),
    ],
)
def test_of_routes_that_cannot_share_a_router_the_older_is_served(spec, says):
    shop = {"tenants": [{"name": "shop", "keySecretRef": {"name": "shop"}}]}
    both = snapshot(route(attribution=shop), route(name="later", **spec))
    older, later = seen(both), seen(both, "later")

    assert older.says(ConditionType.STALLED)[0] == "False"
    stalled(later, Reason.ROUTER_SETTINGS_DIFFER, says)
    assert "ModelRoute chat" in later.condition(ConditionType.STALLED).message
    assert all(name.split("/")[0] == "chat" for name in rendered(older))


def test_without_an_image_nothing_is_served():
    found = seen(mixed(image=""))

    stalled(found, Reason.ROUTER_IMAGE_MISSING, "set router.image.repository and router.image.digest")
    assert found.says(ConditionType.READY) == ("False", Reason.ROUTER_IMAGE_MISSING)
    assert found.decision.objects == ()


def test_a_configuration_that_no_config_map_holds_leaves_the_one_before():
    names = [f"feature-{number:02}" + "x" * 50 for number in range(32)]
    many = tuple(route(name=f"route-{number:03}" + "y" * 30, attribution={"features": names}) for number in range(150))
    found = seen(snapshot(*many), many[0].metadata.name)

    stalled(found, Reason.CONFIGURATION_TOO_LARGE, "")
    assert found.decision.objects == found.decision.deletions == ()


def test_a_secret_that_is_missing_is_told_with_those_that_the_route_names():
    key = {"apiKeySecretRef": {"name": "openai", "key": "api-key"}}
    tiers = (external("small", "0.6"), {"name": "large", "external": {"provider": "openai", "model": "large", **key}})
    waiting = pod(waiting_reason="CreateContainerConfigError", waiting_message='secret "openai" not found')
    found = seen(snapshot(route(tiers, **PROVEN), proofs=DATA, pods=(waiting,)))

    stalled(found, Reason.SECRET_MISSING, 'secret "openai" not found; this route names openai (api-key): create what')
    assert found.says(ConditionType.READY) == ("False", Reason.SECRET_MISSING)


def test_what_a_dead_router_said_is_told():
    dead = pod(restarts=3, termination_message="ModuleNotFoundError: router_plugin")
    found = seen(mixed(pods=(dead,)))

    assert found.says(ConditionType.READY) == ("False", Reason.ROUTER_DIED)
    assert "ModuleNotFoundError" in found.condition(ConditionType.READY).message


def test_a_router_that_finds_no_node_says_so():
    found = seen(mixed(pods=(pod(unschedulable="0/3 nodes are available"),)))

    assert found.says(ConditionType.READY) == ("False", Reason.UNSCHEDULABLE)


def test_without_metrics_the_reason_is_told():
    down = MetricsDown(reason=Reason.PROMETHEUS_UNREACHABLE, message="no connection")

    assert seen(mixed(traffic=down)).says(ConditionType.METRICS_AVAILABLE) == (
        "False",
        Reason.PROMETHEUS_UNREACHABLE,
    )


def test_the_conditions_of_a_settled_route_do_not_change_with_the_clock():
    settled = told(running(mixed()))

    assert [one.status for one in seen(settled).decision.statuses] == [one.status for one in settled.routes]
