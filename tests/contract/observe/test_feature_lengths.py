"""What routers saw of each feature, from a real Prometheus, and what the audit says of it.

Covered: two routers, one that two Prometheus servers scrape, a feature without limits, a Prometheus without routers.
"""

import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from contract.observe.tapes import BEGIN, END, Tape, ramp
from costpolicy.cli.audit_features import asked_features, print_features
from costpolicy.cli.console import Console
from costpolicy.observe.feature_lengths import feature_lengths
from costpolicy.observe.scope import Scope
from scraping import Server

AT = datetime.fromtimestamp(END, tz=UTC)
WINDOW = timedelta(hours=1)
EDGES = ("50", "100", "200", "500", "+Inf")


def histogram(tape: Tape, name: str, labels: dict[str, str], counts: Sequence[float], tokens: float) -> None:
    """Cumulative counts that grow evenly over the hour; the first sample lies one scrape before it, as the series begin at 0."""
    for edge, count in zip(EDGES, counts, strict=True):
        tape.add(f"{name}_bucket", {**labels, "le": edge}, ramp(0, count))
    tape.add(f"{name}_sum", labels, ramp(0, tokens))


def routers() -> Tape:
    tape = Tape()
    for pod, replicas in (("router-a", ("x", "y")), ("router-b", ("x",))):
        for replica in replicas:
            search = {
                "namespace": "shop",
                "route": "help",
                "feature": "search",
                "pod": pod,
                "prometheus_replica": replica,
            }
            histogram(tape, "costpolicy_route_generated_tokens", search, (100, 300, 600, 600, 600), 60_000)
            histogram(tape, "costpolicy_route_asked_tokens", search, (0, 0, 0, 0, 600), 600 * 4096)
            chat = {**search, "feature": "chat"}
            histogram(tape, "costpolicy_route_generated_tokens", chat, (100, 300, 600, 600, 600), 60_000)
            tape.add("costpolicy_route_cut_total", chat, ramp(0, 300))
    return tape


def test_each_router_counts_once(backfilled: Callable[[Tape], Server]) -> None:
    found = feature_lengths(backfilled(routers()).source(), Scope(), AT, WINDOW)

    search = found["shop", "help", "search"]
    assert 1200 == round(search.generated.buckets["+Inf"])
    assert (120_000, 1200 * 4096) == (round(search.generated.tokens), round(search.asked.tokens))
    assert 600 == round(found["shop", "help", "chat"].cut)


def test_the_audit_tells_the_cap_and_where_to_write_it(backfilled: Callable[[Tape], Server]) -> None:
    rows = {row["feature"]: row for row in asked_features(backfilled(routers()).url, AT, WINDOW)}

    assert (200, 4096.0) == (rows["search"]["maxTokens"], rows["search"]["askedTokens"])
    assert rows["chat"]["maxTokens"] is None
    assert rows["chat"]["reason"].startswith("50% of the answers end at their limit")
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO())
    print_features(list(rows.values()), console)
    assert "shop/help search: requests ask for 4096 tokens" in console.out.getvalue()  # type: ignore[attr-defined]
    assert "outputLength.features of ModelRoute help" in console.out.getvalue()  # type: ignore[attr-defined]
    assert json.dumps(list(rows.values()))


def test_without_routers_there_is_nothing_to_say(backfilled: Callable[[Tape], Server]) -> None:
    tape = Tape()
    tape.add("up", {}, ramp(1, 1, first=BEGIN))
    assert [] == asked_features(backfilled(tape).url, AT, WINDOW)
