"""What is exported of routes.  Not covered: that telemetry serves it (unit/runtime), what is recorded of it (contract ring)."""

from costpolicy.observe.exported import ROUTE_PROOF, TOKEN_PRICE
from costpolicy.reconcile.routes.exports import route_series
from routed import compression_data, external, hosted, proof_data, route, serving, snapshot, told


def test_tokens_that_others_serve_have_a_price_for_each_kind_and_those_of_policies_have_none():
    tiers = (hosted("llama", "0.6"), external("large"))
    given = told(
        snapshot(
            route(tiers, calibration={"configMapRef": {"name": "proof"}}),
            proofs={"proof": proof_data("0.6")},
            policies={"llama": serving("llama")},
        )
    )

    assert route_series(given.routes, "USD")[TOKEN_PRICE] == {
        ("default", "chat", "large", kind, "USD"): 15.0 for kind in ("prompt", "cached", "output")
    }


def test_every_proof_says_what_it_is_worth_and_what_needs_none_says_nothing():
    given = snapshot(
        route(contextCompression={"mode": "Enabled"}),
        proofs={"small": proof_data("0.6") | compression_data(lost=300), "medium": proof_data(None)},
    )

    assert route_series(told(given).routes, "USD")[ROUTE_PROOF] == {
        ("default", "chat", "tier/small", "Proven"): 1.0,
        ("default", "chat", "tier/medium", "NothingProven"): 1.0,
        ("default", "chat", "compression", "QualityLost"): 1.0,
    }


def test_a_route_that_was_not_decided_yet_has_neither_price_nor_proof():
    assert route_series([route()], "USD") == {TOKEN_PRICE: {}, ROUTE_PROOF: {}}
