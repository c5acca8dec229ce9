"""Which routes a playbook hears of, from ModelRoutes as stored.

Not covered: what rows say of them (tests/unit/savings/playbook).
"""

from costpolicy.api.conditions import ConditionType, Reason, condition
from costpolicy.api.model_route_status import ModelRouteStatus, RouteSavings
from costpolicy.kube.gateway import NamespacedName, ObjectRef, Unreadable
from costpolicy.reconcile.routed import routes_of
from costpolicy.savings.playbook.facts import Routed
from routed import external, hosted, route

LLAMA = NamespacedName("default", "llama")


def test_a_policy_hears_of_each_route_that_it_is_a_tier_of_in_order_and_others_do_not():
    tiers = (hosted("llama", "0.6"), external("large"))
    routes = [route(tiers, name="help"), route(tiers, name="chat"), route()]

    assert ["chat", "help"] == [one.route for one in routes_of(routes)[LLAMA]]
    assert {LLAMA} == routes_of(routes).keys()


def test_what_a_route_does_is_read_from_its_spec_and_what_it_saves_from_its_status():
    status = ModelRouteStatus(
        routed="30%",
        savings=RouteSavings(against_dearest="15%", basis="Seen"),
        conditions=(condition(ConditionType.COMPRESSING, True, Reason.COMPRESSION_PROVEN),),
    )
    stored = route(
        (hosted("llama", "0.6"), external("large")),
        contextCompression={"mode": "Enabled"},
        outputLength={"mode": "Enforce", "maxTokens": 300},
    ).model_copy(update={"status": status})

    assert (Routed(route="chat", share="30%", saved="15%", compresses=True, caps=True),) == routes_of([stored])[LLAMA]


def test_compression_that_is_not_proven_is_not_told_as_if_it_saved():
    stored = route((hosted("llama", "0.6"), external("large")), contextCompression={"mode": "Enabled"})
    waiting = ModelRouteStatus(conditions=(condition(ConditionType.COMPRESSING, False, Reason.NOT_PROVEN),))

    for status in (None, waiting):
        [told] = routes_of([stored.model_copy(update={"status": status})])[LLAMA]
        assert not told.compresses


def test_caps_that_are_only_recommended_and_a_share_of_nothing_are_not_told():
    stored = route(
        (hosted("llama", "0.6"), external("large")), outputLength={"mode": "Recommend", "maxTokens": 300}
    ).model_copy(update={"status": ModelRouteStatus(routed="0%")})

    assert (Routed(route="chat", share="", saved="", compresses=False, caps=False),) == routes_of([stored])[LLAMA]


def test_a_route_that_cannot_be_read_is_left_out():
    ref = ObjectRef(api_version="costpolicy.dev/v1alpha1", kind="ModelRoute", name="broken", namespace="default")
    assert {} == routes_of([Unreadable(ref=ref, generation=1, message="tiers: too few")])
