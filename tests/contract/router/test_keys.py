"""Who gets what from a real LiteLLM without a database: tenants, the administrator, and nobody.

Covered: keys, models, paths, fields of the body and the address by which a tenant could reach what is not its own; that no
key is in the log or in an answer.
Not covered: LiteLLM's own keys, which need its database; the kubelet that reads keys from Secrets.
"""

from typing import Any

import pytest

from router.clients import DESK, MASTER_KEY, NOBODY, SHOP, Client, Tiers


@pytest.mark.parametrize("key", [NOBODY, SHOP[:-1], SHOP + "x", "none", "sk-" + "x" * 2_000])
def test_a_key_that_is_nobodys_is_refused(client: Client, tiers: Tiers, key: str):
    answer = client.ask(key=key)

    assert 401 == answer.status_code
    assert not tiers.small.asked
    assert not tiers.large.asked


def test_a_request_without_a_key_is_refused(client: Client, tiers: Tiers):
    assert 401 == client.http.post("/v1/chat/completions", json={"model": "chat", "messages": []}).status_code


def test_each_tenant_reaches_its_own_route(client: Client, tiers: Tiers):
    assert 200 == client.ask(key=SHOP).status_code
    assert 200 == client.ask(key=DESK, model="notes").status_code


@pytest.mark.parametrize(
    "model",
    ["notes", "chat/small", "chat/large", "notes/small", "tiny", "hosted_vllm/tiny", "chat,notes", "*", "CHAT", " chat", None, 7,
     ["chat"], {"chat": 1}],
)  # fmt: skip
def test_another_tenants_route_a_tier_and_whatever_else_is_refused(client: Client, tiers: Tiers, model: Any):
    answer = client.ask(key=SHOP, model=model)

    assert 403 == answer.status_code
    assert "this key may ask for chat" == answer.json()["error"]["message"]
    assert not tiers.small.asked
    assert not tiers.large.asked


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions?model=chat/large",
        "/v1/chat/completions?model=notes",
        "/openai/deployments/notes/chat/completions",
        "/engines/chat%2Flarge/chat/completions",
        "/v1/messages",
        "/v1/responses",
        "/v1/embeddings",
        "/v1/batches",
        "/model/new",
        "/key/generate",
        "/config/update",
        "/v1/chat/completions/../../../key/generate",
    ],
)
def test_paths_and_addresses_that_lead_elsewhere_are_refused(client: Client, tiers: Tiers, path: str):
    assert client.ask(key=SHOP, path=path).status_code in {403, 404}
    assert not tiers.small.asked
    assert not tiers.large.asked


@pytest.mark.parametrize(
    "path", ["/model/info", "/health", "/spend/logs", "/get/config/callbacks", "/v1/models?team_id=x"]
)
def test_a_tenant_reads_nothing_of_the_routers_configuration(client: Client, tiers: Tiers, path: str):
    assert 403 == client.http.get(path, headers={"Authorization": f"Bearer {SHOP}"}).status_code


@pytest.mark.parametrize(
    "field",
    [
        {"fallbacks": ["notes"]},
        {"fallbacks": [{"chat": ["chat/large"]}]},
        {"context_window_fallbacks": [{"chat": ["notes"]}]},
        {"router_settings_override": {"fallbacks": [{"chat": ["notes"]}]}},
        {"num_retries": 50},
        {"mock_response": "free"},
        {"api_base": "http://127.0.0.1:1"},
        {"api_key": "x"},
        {"model_list": []},
        {"specific_deployment": True},
        {"user_config": {"model_list": []}},
        {"input_cost_per_token": 0},
        {"litellm_metadata": {}},
        {"cache": {"no-store": True}},
    ],
    ids=lambda field: next(iter(field)),
)
def test_a_tenant_cannot_steer_the_router_by_a_field_of_the_body(client: Client, tiers: Tiers, field: dict[str, Any]):
    before = client.admitted
    assert client.ask(key=SHOP, **field).status_code >= 400  # some LiteLLM refuses itself, before keys, as 500
    client.admitted = before
    assert not tiers.small.asked
    assert not tiers.large.asked


@pytest.mark.parametrize(
    "header",
    [
        {"x-litellm-num-retries": "20"},
        {"x-litellm-disable-callbacks": "Callback,handler,custom_logger"},
        {"x-litellm-model": "notes"},
    ],
    ids=lambda header: next(iter(header)),
)
def test_no_header_steers_the_router(client: Client, tiers: Tiers, header: dict[str, str]):
    tiers.small.answer = lambda _: (400, {"error": {"message": "too long", "type": "x", "param": None}})
    before = client.total("costpolicy_route_requests_total", tier="large", outcome="answered")
    answer = client.ask(headers=header)

    assert "from large" == answer.json()["choices"][0]["message"]["content"]
    assert (1, 1) == (len(tiers.small.asked), len(tiers.large.asked))
    assert before + 1 == client.total("costpolicy_route_requests_total", tier="large", outcome="answered")


def test_a_tenant_is_shown_its_own_models_alone(client: Client, tiers: Tiers):
    listed = client.http.get("/v1/models", headers={"Authorization": f"Bearer {DESK}"}).json()["data"]

    assert ["notes"] == [model["id"] for model in listed]


def test_the_administrator_reaches_routes_and_tiers(client: Client, tiers: Tiers):
    for model in ("chat", "notes", "chat/small", "chat/large"):
        assert 200 == client.ask(key=MASTER_KEY, model=model).status_code
        client.admitted -= "/" in model  # a tier that is asked for by itself is not the route's traffic
    assert 200 == client.http.get("/model/info", headers={"Authorization": f"Bearer {MASTER_KEY}"}).status_code


def test_even_the_administrators_retries_are_the_routes(client: Client, tiers: Tiers):
    tiers.small.answer = tiers.large.answer = lambda _: (500, {"error": {"message": "no"}})
    client.ask(key=MASTER_KEY, num_retries=20)

    assert (1, 1) == (len(tiers.small.asked), len(tiers.large.asked))


def test_keys_are_in_no_log_and_in_no_answer(client: Client, tiers: Tiers):
    answers = [client.ask(key=key) for key in (SHOP, DESK, NOBODY, MASTER_KEY)]
    tiers.small.answer = tiers.large.answer = lambda _: (500, {"error": {"message": "no"}})
    answers += [client.ask(key=SHOP), client.ask(key=MASTER_KEY, model="nothing")]
    client.admitted -= 1  # there is no route "nothing"
    said = client.router.text() + client.page() + "".join(answer.text + str(answer.headers) for answer in answers)
    sent = "".join(str(body) for body in (*tiers.small.asked, *tiers.large.asked))

    for key in (SHOP, DESK, NOBODY, MASTER_KEY):
        assert key not in said
        assert key not in sent
