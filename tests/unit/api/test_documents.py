"""Documents from YAML: what is read, and how errors name document, field and remedy."""

import json

import pytest
import yaml

from costpolicy.api.documents import DocumentError, parse_documents
from plain_documents import book, policy


def refusal(text: str) -> str:
    with pytest.raises(DocumentError) as refused:
        parse_documents(text)
    return str(refused.value)


def test_reads_several_documents_and_skips_empty_ones():
    text = f"---\n{yaml.safe_dump(policy())}---\n---\n# nothing\n---\n{yaml.safe_dump(book())}"

    assert [(item.kind, item.metadata.name) for item in parse_documents(text)] == [
        ("CostPolicy", "chat"),
        ("PriceBook", "list"),
    ]


def test_reads_what_kubectl_get_prints():
    stored = policy()
    stored["metadata"] |= {"creationTimestamp": None, "managedFields": [{"manager": "kubectl"}]}
    stored["status"] = {"observedGeneration": 3, "fieldOfANewerVersion": True}
    listing = {"apiVersion": "v1", "kind": "List", "items": [stored, book()]}

    read = parse_documents(yaml.safe_dump(listing))

    assert [item.metadata.name for item in read] == ["chat", "list"]


def test_a_policy_without_a_namespace_is_in_default():
    document = policy()
    del document["metadata"]["namespace"]

    assert parse_documents(yaml.safe_dump(document))[0].key == "default/chat"


def test_names_every_wrong_document_and_field():
    first = policy({"targetRef": {"name": "x"}, "budget": {"hourly": "-1"}, "scalling": {}})
    text = yaml.safe_dump_all([first, policy(), book(currency="usd")])

    assert refusal(text).splitlines() == [
        (
            "document 1 (CostPolicy chat): spec.budget.hourly: '-1' is not an amount of money: "
            "write a decimal such as 2.49, with at most six decimals and no sign"
        ),
        "document 1 (CostPolicy chat): spec.scalling: this field does not exist: take it out",
        (
            "document 3 (PriceBook list): spec.currency: 'usd' is not a currency: "
            "write its three-letter code, such as USD"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "kind: Deployment\napiVersion: apps/v1",
            "kind: 'Deployment' is not read here: expected a CostPolicy",
        ),
        ("kind: CostPolicy\napiVersion: costpolicy.dev/v2", "apiVersion: 'costpolicy.dev/v2' is not"),
        ("kind: CostPolicy\napiVersion: costpolicy.dev/v1alpha1", "metadata and spec are both needed"),
        ("- 1", "is no Kubernetes object"),
        ("a: [", "not YAML"),
        ("a: 1\na: 2", "the key a occurs twice"),
        ("kind: [x]", "is not read here"),
    ],
)
def test_refuses_other_things_and_says_what_is_expected(text: str, says: str):
    assert says in refusal(text)


def test_an_unquoted_price_is_explained():
    text = yaml.safe_dump(book(offerings=[{"accelerator": "nvidia-l4", "capacityType": "Spot", "hourly": 0.8}]))

    assert 'spec.offerings[0].hourly: 0.8 is a number where text is expected: put it in quotes, "0.8"' in refusal(text)


def test_an_unquoted_date_is_text():
    text = yaml.safe_dump(book(offerings=[])).replace(
        "offerings: []",
        "offerings: [{accelerator: nvidia-l4, capacityType: Spot, hourly: '1', effectiveFrom: 2026-01-31}]",
    )

    assert parse_documents(text)[0].spec.offerings[0].effective_from == "2026-01-31"  # type: ignore[union-attr]


def test_an_empty_field_is_refused_as_the_api_server_does():
    document = policy()
    document["spec"]["budget"] = None

    assert "spec.budget: is empty: give it a value, or leave it out" in refusal(yaml.safe_dump(document))


def test_json_is_read_as_the_same_documents_and_a_key_that_occurs_twice_is_named():
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [policy(), book()]})

    assert parse_documents(text) == parse_documents(yaml.safe_dump(json.loads(text)))
    assert "the key kind occurs twice" in refusal(text.replace('"kind": "List"', '"kind": "List", "kind": "List"', 1))
