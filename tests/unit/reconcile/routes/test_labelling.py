"""What labels of samples cost at most.  Not covered: what a run of ``costpolicy route label`` says that it cost (unit/cli)."""

from dataclasses import replace

from costpolicy.catalog.prices import merge_books
from costpolicy.reconcile.routes.snapshot import RoutesSnapshot
from routed import BOTH_PROVEN, NOW, prices, route, seen, snapshot, tokens

SAMPLED = {**BOTH_PROVEN, "samples": {"perDay": 1000}, "storage": {"claimName": "samples"}}


def cost(given: RoutesSnapshot) -> str | None:
    found = seen(given).status.calibration
    assert found is not None
    return found.labelling_per_day


def test_of_each_sample_two_tiers_are_asked():
    # 1,000 requests of 1,250 tokens for each of two tiers, beside the trusted one: (0.25 + 15 + 3 + 15) x 1.25
    assert cost(snapshot(route(calibration=SAMPLED))) == "41.5625"


def test_long_requests_are_asked_twice_of_the_trusted_tier_where_compression_is_to_be_proven():
    compressing = route(calibration=SAMPLED, contextCompression={"mode": "Enabled", "minimumCharacters": 4000})

    # 1,000 requests of 1,250 tokens and 4,000 characters more, twice at 15: 30 x 2.25
    assert cost(snapshot(compressing)) == "109.0625"


def test_requests_are_as_long_as_they_were_seen():
    day = replace(tokens(small=600_000, large=400_000), scores=(200,) * 10)

    assert cost(snapshot(route(calibration=SAMPLED), traffic={"chat": day})) == "16.625"


def test_without_samples_there_is_no_cost_and_without_a_price_none_is_told():
    assert cost(snapshot()) is None
    assert cost(snapshot(route(calibration=SAMPLED), prices=merge_books([prices(large="15")], NOW))) is None
