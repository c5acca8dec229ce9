"""Merging price books, and the packaged list prices.

Covered: precedence by priority and date, capacity types apart, currencies, unknown accelerators and dates,
ties, defaults of an offering, token prices, the list book.
Not covered: whether a list price still holds; each has its source and day.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.api.pricebook import PriceBook
from costpolicy.api.types import CapacityType
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.prices import PriceList, list_price_book, load_price_book, merge_books, next_change
from costpolicy.catalog.sources import CatalogError, read_packaged
from costpolicy.units import Money

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def book(name: str, *offerings: dict[str, Any], **spec: Any) -> PriceBook:
    defaults = {"accelerator": "nvidia-l4", "capacityType": "OnDemand"}
    return PriceBook.model_validate(
        {
            "metadata": {"name": name},
            "spec": {"currency": "USD", "offerings": [{**defaults, **each} for each in offerings], **spec},
        }
    )


def prices(merged: PriceList) -> dict[tuple[str, str], str]:
    return {(each.accelerator.name, each.capacity_type): each.hourly.text() for each in merged.offerings}


def test_the_higher_priority_wins_even_if_it_is_older() -> None:
    ours = book("ours", {"hourly": "0.50", "effectiveFrom": "2025-01-01"}, priority=1)
    theirs = book("theirs", {"hourly": "0.40", "effectiveFrom": "2026-11-01"})
    assert {("nvidia-l4", "OnDemand"): "0.50"} == prices(merge_books([theirs, ours], NOW))


def test_the_latest_price_that_is_not_in_the_future_wins() -> None:
    merged = merge_books(
        [
            book(
                "ours",
                {"hourly": "0.50", "effectiveFrom": "2026-01-01"},
                {"hourly": "0.45", "effectiveFrom": "2026-11-22T12:00:00Z"},
                {"hourly": "0.40", "effectiveFrom": "2026-11-22T12:00:01Z"},
            )
        ],
        NOW,
    )
    assert {("nvidia-l4", "OnDemand"): "0.45"} == prices(merged)


def test_a_time_with_an_offset_is_an_instant() -> None:
    ours = book("ours", {"hourly": "0.50", "effectiveFrom": "2026-11-22T14:30:00+02:00"})
    assert {} == prices(merge_books([ours], NOW))
    assert {("nvidia-l4", "OnDemand"): "0.50"} == prices(merge_books([ours], NOW + timedelta(minutes=30)))


def test_a_price_of_the_future_leaves_the_lower_book_in_force() -> None:
    ours = book("ours", {"hourly": "0.30", "effectiveFrom": "2027-01-01"})
    merged = merge_books([ours, list_price_book()], NOW)
    assert "0.8048" == prices(merged)[("nvidia-l4", "OnDemand")]


def test_the_next_change_is_the_first_price_of_the_future() -> None:
    ours = book(
        "ours",
        {"hourly": "0.50", "effectiveFrom": "2026-01-01"},
        {"hourly": "0.40", "effectiveFrom": "2026-12-01"},
        {"hourly": "0.45", "effectiveFrom": "2026-11-22T12:00:01Z"},
    )
    assert NOW + timedelta(seconds=1) == next_change([ours, list_price_book()], NOW)
    assert datetime(2026, 12, 1, tzinfo=UTC) == next_change([ours], NOW + timedelta(seconds=1))
    assert next_change([ours], datetime(2026, 12, 1, tzinfo=UTC)) is None


def test_capacity_types_are_priced_apart() -> None:
    ours = book(
        "ours",
        {"hourly": "0.50"},
        {"hourly": "0.20", "capacityType": "Spot"},
        {"hourly": "0.35", "capacityType": "Reserved", "count": 4},
    )
    merged = merge_books([ours], NOW)
    assert {
        ("nvidia-l4", "OnDemand"): "0.50",
        ("nvidia-l4", "Spot"): "0.20",
        ("nvidia-l4", "Reserved"): "0.35",
    } == prices(merged)
    assert {4, None} == {each.count for each in merged.offerings}


def test_a_book_in_another_currency_is_left_out_and_reported() -> None:
    merged = merge_books(
        [list_price_book(), book("euros", {"hourly": "0.50"}, currency="EUR")],
        NOW,
    )
    assert "EUR" == merged.currency
    assert {("nvidia-l4", "OnDemand"): "0.50"} == prices(merged)
    assert ("PriceBook list-prices is in USD, not EUR: it is not used",) == merged.problems


def test_an_unknown_accelerator_is_reported_and_the_rest_holds() -> None:
    ours = book("ours", {"hourly": "1", "accelerator": "nvidia-z9"}, {"hourly": "0.50"})
    merged = merge_books([ours], NOW)
    assert {("nvidia-l4", "OnDemand"): "0.50"} == prices(merged)
    assert ("PriceBook ours: nvidia-z9 OnDemand: the catalogue has no accelerator of that name",) == merged.problems


def test_a_day_that_does_not_exist_is_reported() -> None:
    merged = merge_books([book("ours", {"hourly": "1", "effectiveFrom": "2026-02-30"})], NOW)
    assert {} == prices(merged)
    assert (
        "PriceBook ours: nvidia-l4 OnDemand: effectiveFrom 2026-02-30 is not a day of the calendar",
    ) == merged.problems


def test_two_books_that_disagree_at_one_rank_are_reported_and_the_first_name_wins() -> None:
    books = [book("b", {"hourly": "0.40"}), book("a", {"hourly": "0.50"})]
    for order in (books, books[::-1]):
        merged = merge_books(order, NOW)
        assert {("nvidia-l4", "OnDemand"): "0.50"} == prices(merged)
        assert (
            "PriceBooks a and b both price nvidia-l4 OnDemand at priority 0 from 1970-01-01: a is used",
        ) == merged.problems


def test_what_a_book_leaves_out_is_the_catalogues() -> None:
    (offering,) = merge_books([book("ours", {"hourly": "0.50"})], NOW).offerings
    known = accelerators()["nvidia-l4"]
    assert (known.resource_name, known.accelerators_per_node, False) == (
        offering.resource_name,
        offering.accelerators_per_node,
        offering.per_node_stated,
    )
    assert ({}, None, "USD", "ours") == (
        offering.node_selector,
        offering.max_nodes,
        offering.currency,
        offering.book,
    )


def test_what_a_book_states_holds() -> None:
    stated = {
        "hourly": "0.50",
        "nodeSelector": {"pool": "inference"},
        "resourceName": "example.com/l4",
        "acceleratorsPerNode": 2,
        "maxNodes": 3,
        "source": "our contract",
    }
    (offering,) = merge_books([book("ours", stated)], NOW).offerings
    assert ({"pool": "inference"}, "example.com/l4", 2, True, 3, "our contract") == (
        offering.node_selector,
        offering.resource_name,
        offering.accelerators_per_node,
        offering.per_node_stated,
        offering.max_nodes,
        offering.source,
    )


def test_no_book_offers_nothing() -> None:
    merged = merge_books([], NOW)
    assert ((), (), ()) == (merged.offerings, merged.token_prices, merged.problems)


def test_token_prices_follow_the_books_in_order() -> None:
    price = {"provider": "openai", "model": "small", "outputPerMillion": "2"}
    low = book(
        "low", tokenPrices=[{**price, "inputPerMillion": "1"}, {**price, "model": "big", "inputPerMillion": "9"}]
    )
    high = book("high", tokenPrices=[{**price, "inputPerMillion": "0.5"}], priority=5)
    merged = merge_books([low, high], NOW)
    assert {"small": "0.5", "big": "9"} == {each.model: each.input_per_million for each in merged.token_prices}


@given(
    entries=st.lists(
        st.tuples(
            st.integers(-3, 3),
            st.sampled_from(["nvidia-l4", "nvidia-t4"]),
            st.sampled_from(list(CapacityType)[:2]),
            st.dates(datetime(2026, 10, 1, tzinfo=UTC).date(), datetime(2026, 12, 31, tzinfo=UTC).date()),
            st.integers(1, 9),
        ),
        max_size=8,
    )
)
def test_the_winner_is_never_beaten_and_never_of_the_future(entries: list[Any]) -> None:
    books = [
        book(
            f"b{index}",
            {
                "accelerator": name,
                "capacityType": capacity,
                "hourly": str(hourly),
                "effectiveFrom": day.isoformat(),
            },
            priority=priority,
        )
        for index, (priority, name, capacity, day, hourly) in enumerate(entries)
    ]
    merged = merge_books(books, NOW)
    assert merged == merge_books(books[::-1], NOW)
    current = [entry for entry in entries if entry[3] <= NOW.date()]
    assert {(name, capacity) for _, name, capacity, _, _ in current} == set(prices(merged))
    for offering in merged.offerings:
        rivals = [
            (priority, day)
            for priority, name, capacity, day, _ in current
            if (name, capacity) == (offering.accelerator.name, offering.capacity_type)
        ]
        priority, day = max(rivals)
        assert day == offering.effective_from.date()
        assert Money.parse("0") < offering.hourly
        assert priority == next(each.spec.priority for each in books if each.metadata.name == offering.book)


def test_list_prices_are_sourced_dated_and_of_lowest_priority() -> None:
    listed = list_price_book()
    assert ("list-prices", "USD", -1000) == (listed.metadata.name, listed.spec.currency, listed.spec.priority)
    for offering in listed.spec.offerings:
        assert offering.source
        assert "2026-01-01" <= offering.effective_from <= "2026-11-22"
    merged = merge_books([listed], NOW)
    assert () == merged.problems
    assert len(listed.spec.offerings) == len(merged.offerings)


def test_the_fixed_accelerators_all_have_a_list_price() -> None:
    on_demand = {each.accelerator for each in list_price_book().spec.offerings if each.capacity_type == "OnDemand"}
    fixed = "t4 l4 a10 a10g l40s a100-40gb a100-80gb h100-80gb h100-nvl h200 b200 rtx-pro-6000"
    assert {*(f"nvidia-{name}" for name in fixed.split()), "amd-mi300x"} <= on_demand


def test_a_broken_price_file_is_refused_with_its_line() -> None:
    text = read_packaged("list_prices.yaml").replace('hourly: "0.8048"', "hourly: about a dollar")
    with pytest.raises(CatalogError, match=r"list_prices\.yaml") as caught:
        load_price_book(text, "list_prices.yaml")
    assert "about a dollar" in text.splitlines()[caught.value.line - 1]


def test_a_price_for_an_unknown_accelerator_is_refused_with_its_line() -> None:
    text = read_packaged("list_prices.yaml").replace("accelerator: nvidia-l4\n", "accelerator: nvidia-l5\n")
    with pytest.raises(CatalogError, match="nvidia-l5 is not in the catalogue") as caught:
        load_price_book(text, "list_prices.yaml")
    assert "nvidia-l5" in text.splitlines()[caught.value.line - 1]
