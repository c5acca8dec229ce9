"""Laws of routes: no tier has more than was asked for and proven, losses stay within what is allowed, shares are whole.

Losses are those of tiers and of compression.

Not covered: whether a proof is right (``tests/unit/routing``, ``tests/long``).
"""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costpolicy.catalog.prices import merge_books
from costpolicy.observe.routes import RouteTraffic, TierTokens
from costpolicy.reconcile.routes.proofs import Proof, read_proof
from costpolicy.reconcile.routes.view import view_of
from costpolicy.routing.calibration import Proven
from costpolicy.routing.compression_proof import Pairs
from costpolicy.units import Money, parse_ratio
from routed import NOW, compression_data, external, prices, proof_data, route, snapshot

NAMES = ("a", "b", "c")
_hundredths = st.integers(1, 100).map(lambda number: f"{number / 100:g}")


@dataclass(frozen=True)
class Situation:
    """Three cheaper tiers before one that is trusted: asked thresholds, proven ones with lost labels, prices, tokens seen.

    ``pairs``: of a compression, those that were judged and those that were lost.
    """

    asked: tuple[str, ...]
    proven: tuple[str, ...]
    lost: tuple[int, ...]
    allowed: str
    prices: tuple[int, ...]
    tokens: tuple[int, ...]
    pairs: tuple[int, int]


situations = st.builds(
    Situation,
    asked=st.lists(st.integers(1, 99), min_size=3, max_size=3, unique=True).map(
        lambda found: tuple(f"{number / 100:g}" for number in sorted(found))
    ),
    proven=st.tuples(_hundredths, _hundredths, _hundredths),
    lost=st.tuples(*[st.integers(0, 40)] * 3),
    allowed=st.sampled_from(["0.5%", "1%", "2%", "5%"]),
    prices=st.tuples(*[st.integers(0, 30)] * 4),
    tokens=st.tuples(*[st.integers(0, 10**7)] * 4),
    pairs=st.tuples(st.integers(20, 5000), st.integers(0, 20)),
)


@given(situations)
def test_what_is_routed_is_asked_for_proven_and_within_the_loss_that_is_allowed(made: Situation):
    tiers = [external(name, below) for name, below in zip(NAMES, made.asked, strict=True)] + [external("d")]
    calibration = {"tiers": [{"name": name, "configMapRef": {"name": name}} for name in NAMES]}
    judged, worse = made.pairs
    known = {
        name: proof_data(below, lost=lost, max_loss="0.05") | compression_data(judged, worse)
        for name, below, lost in zip(NAMES, made.proven, made.lost, strict=True)
    }
    per_million = {name: str(price) for name, price in zip((*NAMES, "d"), made.prices, strict=True)}
    day = RouteTraffic(
        tokens={name: TierTokens(prompt=count) for name, count in zip((*NAMES, "d"), made.tokens, strict=True)}
    )
    wanted = {"mode": "Enabled"}
    routed = route(tiers, maxQualityLoss=made.allowed, calibration=calibration, contextCompression=wanted)
    found = view_of(
        routed,
        snapshot(routed, proofs=known, prices=merge_books([prices(**per_million)], NOW), traffic={"chat": day}),
        None,
        NOW,
    )

    proofs = {name: read_proof(name, data) for name, data in known.items()}
    spent = Fraction(0)
    for one, asked in zip(found.thresholds, made.asked, strict=True):
        proof = proofs[one.tier]
        assert isinstance(proof, Proof)
        if one.below is not None:
            assert one.below <= Fraction(asked)
            assert isinstance(proof.calibration, Proven)
            assert one.below <= proof.calibration.examined.threshold
            spent += proof.loss_bound
    assert found.rendered is not None
    if found.rendered.compression is not None:
        spent += Fraction(Pairs(judged=judged, lost=worse).at_most)
    assert spent <= parse_ratio(made.allowed)
    assert sum(found.spending.shares.values()) == 1
    assert found.rendered.tiers[-1].below is None
    cheapest, dearest = min(made.prices), max(made.prices)
    assert found.spending.blended is not None
    assert Money.parse(str(cheapest)) <= found.spending.blended <= Money.parse(str(dearest))
