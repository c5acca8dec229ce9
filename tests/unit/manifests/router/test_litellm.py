"""LiteLLM's configuration: models, prices, who stands in for whom, and what must never be logged or retried.

Not covered: whether LiteLLM does what it says (tests/router).
"""

from typing import Any

import pytest

from costpolicy.manifests.router.inputs import Route, Router, Tenant
from costpolicy.manifests.router.litellm import litellm_document
from routers import full_router, hosted, prices, provider, route, router, secret, tier


def model(of: Router, name: str) -> dict[str, Any]:
    [found] = [each for each in litellm_document(of)["model_list"] if each["model_name"] == name]
    model: dict[str, Any] = found
    return model


def stands_in(of: Route, name: str) -> list[str]:
    pairs = litellm_document(router(of))["router_settings"]["fallbacks"]
    return next((others for pair in pairs for key, others in pair.items() if key == name), [])


def test_a_route_is_its_trusted_tier_and_every_tier_is_a_model_of_its_own():
    document = litellm_document(router())

    assert ["chat", "chat/small", "chat/large"] == [each["model_name"] for each in document["model_list"]]
    assert model(router(), "chat")["litellm_params"] == model(router(), "chat/large")["litellm_params"]


def test_a_policy_is_reached_through_its_service_and_a_provider_by_its_key():
    small, large = (model(router(), f"chat/{name}")["litellm_params"] for name in ("small", "large"))

    assert ("hosted_vllm/llama", "http://llama-8b.shop.svc:8000/v1") == (small["model"], small["api_base"])
    assert ("openai/gpt-large", "os.environ/COSTPOLICY_PROVIDER_0") == (large["model"], large["api_key"])
    assert "api_base" not in large


def test_a_provider_with_an_address_and_no_key_gets_a_word_for_one():
    tiers = (tier(backend=provider(base_url="http://llm.example/v1")), tier("large", provider()))
    small, large = (model(router(route(tiers=tiers)), f"chat/{name}")["litellm_params"] for name in ("small", "large"))

    assert ("http://llm.example/v1", "none") == (small["api_base"], small["api_key"])
    assert "api_key" not in large  # such as one that goes by the pod's identity


def test_prices_are_told_for_one_token():
    exact = model(router(route(tiers=(tier("large", prices=prices("2.55", "15", "0.000001")),))), "chat")["model_info"]

    assert {"input_cost_per_token": 2.55e-6, "output_cost_per_token": 1.5e-5, "cache_read_input_token_cost": 1e-12} == {
        key: value for key, value in exact.items() if "cost" in key
    }


def test_a_tier_without_a_price_is_served_and_costs_nothing_that_is_known():
    info = model(router(route(tiers=(tier("large", prices=None),))), "chat")["model_info"]

    assert {"id", "mode", "allowed_fails"} == info.keys()


@pytest.mark.parametrize(
    ("failing", "expected"),
    [("one", ["two", "three"]), ("two", ["three", "one"]), ("three", ["two", "one"])],
)
def test_stronger_tiers_stand_in_first_then_weaker_ones_nearest_first(failing: str, expected: list[str]):
    chat = route(tiers=(tier("one"), tier("two"), tier("three")), trusted="three")

    assert [f"chat/{name}" for name in expected] == stands_in(chat, f"chat/{failing}")


def test_the_route_itself_has_the_stand_ins_of_its_trusted_tier():
    chat = route(tiers=(tier("one"), tier("two"), tier("three")), trusted="two")

    assert stands_in(chat, "chat/two") == stands_in(chat, "chat") == ["chat/three", "chat/one"]


def test_stand_ins_that_a_tier_names_are_those_it_has():
    chat = route(tiers=(tier("one", fallbacks=("three",)), tier("two"), tier("three")), trusted="three")

    assert ["chat/three"] == stands_in(chat, "chat/one")


def test_a_lone_tier_has_no_stand_in_and_is_never_left_alone():
    alone = router(route(tiers=(tier("only"),), trusted="only"))

    assert [] == litellm_document(alone)["router_settings"]["fallbacks"]
    assert 5 == model(alone, "chat")["model_info"]["allowed_fails"]
    assert "allowed_fails" not in model(router(), "chat")["model_info"]


def test_nothing_is_tried_twice_at_the_same_tier():
    document = litellm_document(full_router())

    assert 0 == document["router_settings"]["num_retries"]
    assert {0} == {each["litellm_params"]["max_retries"] for each in document["model_list"]}
    assert 2 == document["router_settings"]["max_fallbacks"], "three tiers: two others"


def test_prompts_and_keys_stay_out_of_logs():
    settings = litellm_document(router())["litellm_settings"]
    quiet = ("turn_off_message_logging", "redact_messages_in_exceptions", "redact_user_api_key_info")

    assert {True} == {settings[name] for name in quiet}


def test_no_series_says_who_asked():
    groups = litellm_document(router())["litellm_settings"]["prometheus_metrics_config"]

    assert {"model_id", "requested_model", "fallback_model"} == {
        label for group in groups for label in group["include_labels"]
    }


def test_tenants_are_checked_by_the_callback_only_where_litellm_has_no_keys_of_its_own():
    shop = (Tenant(name="shop", key=secret("shop"), routes=("chat",)),)
    checked, own, alone = (
        litellm_document(each)["general_settings"]
        for each in (
            router(tenants=shop),
            router(tenants=shop, database=secret("database", "url")),
            router(),
        )
    )

    assert "router_plugin.keys.authenticate" == checked["custom_auth"]
    assert ("custom_auth" in own, "custom_auth" in alone) == (False, False)
    assert "os.environ/DATABASE_URL" == own["database_url"]


def test_keys_are_named_and_not_told():
    keys = {each["litellm_params"].get("api_key") for each in litellm_document(full_router())["model_list"]}

    assert {"none", "os.environ/COSTPOLICY_PROVIDER_0"} == keys
    assert "os.environ/LITELLM_MASTER_KEY" == litellm_document(full_router())["general_settings"]["master_key"]


def test_two_tiers_with_one_key_share_a_variable():
    tiers = (tier(backend=provider("a", api_key=secret("one"))), tier("large", provider("b", api_key=secret("one"))))
    other = route("mail", tiers=(tier("only", provider("c", api_key=secret("two"))),), trusted="only")
    keys = [
        each["litellm_params"]["api_key"] for each in litellm_document(router(route(tiers=tiers), other))["model_list"]
    ]

    assert ["0", "0", "0", "1", "1"] == [key[-1] for key in keys]


def test_without_a_namespace_the_cluster_finds_the_service_by_its_name():
    assert (
        "http://llama:8000/v1"
        == model(router(route(tiers=(tier("large", hosted("llama")),)), namespace=""), "chat")["litellm_params"][
            "api_base"
        ]
    )
