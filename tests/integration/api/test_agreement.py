"""The API server and the models give the same answer: to every example, and to documents made from the schema.

Not covered: that a rule's example is complete (unit ring).
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings

from api_documents import documents
from api_examples import EXAMPLES, Example
from costpolicy.api.documents import DocumentError, parse_document
from costpolicy.kube.connection import Connection
from costpolicy.kube.errors import GatewayError
from plain_documents import policy

PATHS = {
    "CostPolicy": "/apis/costpolicy.dev/v1alpha1/namespaces/default/costpolicies",
    "ModelRoute": "/apis/costpolicy.dev/v1alpha1/namespaces/default/modelroutes",
    "PriceBook": "/apis/costpolicy.dev/v1alpha1/pricebooks",
}
ASK_ONLY = {"dryRun": "All", "fieldValidation": "Strict"}


def refusal(server: Connection, document: dict[str, Any]) -> str:
    """Return what the API server says against a document; empty: it would be stored."""
    sent = {**document, "metadata": {"name": "book"}} if document["kind"] == "PriceBook" else document
    try:
        server.request("POST", PATHS[document["kind"]], query=ASK_ONLY, body=sent)
    except GatewayError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_api_server_accepts_what_keeps_the_rule(administrator: Connection, example: Example):
    assert refusal(administrator, example.accepted) == ""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_api_server_refuses_what_breaks_the_rule_and_says_so(administrator: Connection, example: Example):
    assert example.says in refusal(administrator, example.rejected)


def test_an_unknown_field_is_refused_by_both(administrator: Connection):
    document = policy()
    document["spec"]["scalling"] = {}

    assert "scalling" in refusal(administrator, document)
    with pytest.raises(DocumentError, match="scalling"):
        parse_document(document)


def agree(server: Connection, document: dict[str, Any]) -> None:
    by_server = refusal(server, document)
    try:
        parse_document(document)
        by_models = ""
    except DocumentError as error:
        by_models = str(error)
    event("accepted" if not by_server else "refused")

    assert bool(by_server) == bool(by_models), (
        f"API server: {by_server or 'accepted'}\nmodels: {by_models or 'accepted'}"
    )


def at_least(examples: int) -> settings:
    """Return the profile's settings with enough examples to meet every part of the schema."""
    return settings(max_examples=max(examples, settings().max_examples), suppress_health_check=list(HealthCheck))


@at_least(60)
@given(document=documents("CostPolicy"))
def test_models_and_api_server_agree_on_policies(administrator: Connection, document: dict[str, Any]):
    agree(administrator, document)


@at_least(60)
@given(document=documents("ModelRoute"))
def test_models_and_api_server_agree_on_routes(administrator: Connection, document: dict[str, Any]):
    agree(administrator, document)


@at_least(40)
@given(document=documents("PriceBook"))
def test_models_and_api_server_agree_on_price_books(administrator: Connection, document: dict[str, Any]):
    agree(administrator, document)
