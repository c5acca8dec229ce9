"""What a route's tokens cost and save: the mission's example, prices of both kinds of tiers, shares that were seen.

Not covered: where prices of policies come from (``test_measurement``), what a router counts (contract ring).
"""

from dataclasses import replace
from datetime import timedelta

from costpolicy.api.conditions import ConditionType
from costpolicy.api.reasons import Reason
from costpolicy.catalog.prices import merge_books
from costpolicy.observe.routes import RouteTraffic, TierTokens
from costpolicy.reconcile.snapshot import MetricsDown
from routed import NOW, THREE, external, hosted, prices, proof_data, route, seen, serving, snapshot, tokens, told

MISSION = route(currentTier="medium")


def test_the_missions_example_costs_two_dollars_and_fifty_five_cents():
    status = seen(snapshot(MISSION)).status

    assert (status.blended_per_million_tokens, status.currency) == ("2.55", "USD")
    assert status.routed == "90%"
    assert status.savings is not None
    assert (status.savings.against_current, status.savings.against_dearest) == ("15%", "83%")
    assert (status.savings.dearest, status.savings.basis) == ("large", "Expected")


def test_the_same_by_the_tokens_that_were_seen_whatever_the_thresholds_say():
    found = seen(snapshot(MISSION, proofs={}, traffic={"chat": tokens(small=600_000, medium=300_000, large=100_000)}))

    assert found.shares == {"small": "60%", "medium": "30%", "large": "10%"}
    assert found.status.blended_per_million_tokens == "2.55"
    assert found.status.savings is not None
    assert (found.status.savings.against_current, found.status.savings.basis) == ("15%", "Seen")
    assert found.says(ConditionType.METRICS_AVAILABLE) == ("True", Reason.METRICS_FOUND)


def test_before_there_is_traffic_it_is_said_that_shares_are_expected():
    assert seen(snapshot(MISSION)).says(ConditionType.METRICS_AVAILABLE) == ("False", Reason.NO_TRAFFIC)


def test_cached_and_generated_tokens_have_prices_of_their_own():
    book = prices().model_dump(mode="json", by_alias=True)
    book["spec"]["tokenPrices"] = [
        {"provider": "openai", "model": "small", "inputPerMillion": "1", "outputPerMillion": "1"},
        {
            "provider": "openai",
            "model": "large",
            "inputPerMillion": "2",
            "outputPerMillion": "10",
            "cachedInputPerMillion": "0.50",
        },
    ]
    day = RouteTraffic(tokens={"large": TierTokens(prompt=800_000, cached=400_000, output=200_000)})
    given = snapshot(
        route((external("small", "0.6"), external("large"))),
        prices=merge_books([type(prices()).model_validate(book)], NOW),
        traffic={"chat": day},
    )

    # 40 % at 2, 40 % at 0.50, 20 % at 10
    assert seen(given).status.blended_per_million_tokens == "3.00"


def test_a_policys_tokens_cost_what_its_accelerators_did_over_what_they_served():
    window = {
        "since": "2026-11-22T00:00:00Z",
        "until": "2026-11-29T00:00:00Z",
        "totalCost": "120",
        "requests": 1000,
        "promptTokens": 300_000_000,
        "outputTokens": 100_000_000,
    }
    llama = serving("llama", planned="0.40", measurement={"current": window})
    found = seen(snapshot(route((hosted("llama", "0.6"), external("large"))), policies={"llama": llama}))

    price = found.status.tiers[0].price_per_million
    assert price is not None
    assert (price.input, price.output, price.basis) == ("0.30", "0.30", "Measured")


def test_before_that_they_cost_what_is_planned():
    found = seen(snapshot(route((hosted("llama", "0.6"), external("large"))), policies={"llama": serving("llama")}))

    price = found.status.tiers[0].price_per_million
    assert price is not None
    assert (price.input, price.basis) == ("0.40", "Planned")


def test_a_price_that_follows_the_load_rolls_the_router_once_a_day_at_the_most():
    def given(planned: str):
        return snapshot(
            route((hosted("llama", "0.6"), external("large"))), policies={"llama": serving("llama", planned=planned)}
        )

    first = seen(given("0.40"))
    before = tuple(one.model_copy(update={"status": first.status}) for one in given("0.40").routes)
    soon, tomorrow = NOW + timedelta(hours=23), NOW + timedelta(hours=25)
    later = (("117.07", soon), ("0.43", tomorrow), ("0.45", tomorrow))
    fluttering, near, far = [seen(replace(given(planned), routes=before), now=now) for planned, now in later]

    for kept in (fluttering, near):
        assert kept.decision.objects == first.decision.objects
        assert kept.status.tiers[0].price_per_million == first.status.tiers[0].price_per_million
    assert far.decision.objects != first.decision.objects
    assert far.status.tiers[0].price_per_million is not None
    assert ("0.45", tomorrow) == (
        far.status.tiers[0].price_per_million.input,
        far.status.tiers[0].price_per_million.since,
    )


def test_a_policy_that_stalls_keeps_the_price_of_its_tokens():
    tiers = (hosted("llama", "0.6"), external("large"))
    first = seen(snapshot(route(tiers), policies={"llama": serving("llama")}))
    before = (route(tiers).model_copy(update={"status": first.status}),)
    later = seen(snapshot(*before, policies={"llama": serving("llama", planned=None)}))

    assert later.status.tiers[0].price_per_million == first.status.tiers[0].price_per_million


def test_a_tier_whose_price_no_book_knows_gets_nothing_and_says_which_entry_is_missing():
    found = seen(snapshot(prices=merge_books([prices(medium="3", large="15")], NOW)))

    assert found.below == {"small": "", "medium": "0.9", "large": ""}
    assert found.says(ConditionType.STALLED) == ("True", Reason.NO_TOKEN_PRICE)
    assert "no price book prices the tokens of small of openai" in found.condition(ConditionType.STALLED).message
    assert found.status.tiers[0].price_per_million is None
    assert found.decision.objects != ()


def test_a_cheaper_tier_that_is_dearer_than_the_trusted_one_shows_as_a_loss():
    found = seen(snapshot(prices=merge_books([prices(small="30", medium="3", large="15")], NOW)))

    assert found.status.savings is not None
    assert found.status.savings.dearest == "small"
    assert found.status.blended_per_million_tokens == "20.40"


def test_nothing_is_said_of_what_is_not_known():
    found = seen(
        snapshot(route(THREE), prices=merge_books([prices(small="1")], NOW), proofs={"small": proof_data("0.6")})
    )

    assert found.status.blended_per_million_tokens is None
    assert found.status.savings is None


def test_what_was_seen_stands_while_metrics_cannot_be_read():
    day = {"chat": tokens(small=500_000, medium=300_000, large=200_000)}
    down = MetricsDown(reason=Reason.PROMETHEUS_UNREACHABLE, message="no connection")
    before = seen(snapshot(MISSION, traffic=day)).status
    later = seen(replace(told(snapshot(MISSION, traffic=day)), traffic=down))

    assert later.says(ConditionType.METRICS_AVAILABLE) == ("False", Reason.PROMETHEUS_UNREACHABLE)
    assert later.shares == {"small": "50%", "medium": "30%", "large": "20%"}
    assert (later.status.blended_per_million_tokens, later.status.savings, later.status.routed) == (
        before.blended_per_million_tokens,
        before.savings,
        "80%",
    )
