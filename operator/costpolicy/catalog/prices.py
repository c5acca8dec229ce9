"""Price books merged into what can be had now, and at what price."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import groupby

from pydantic import TypeAdapter

from costpolicy.api.pricebook import OfferingSpec, PriceBook, TokenPrice
from costpolicy.api.types import CapacityType
from costpolicy.catalog.accelerators import Accelerator, accelerators
from costpolicy.catalog.sources import read_document, read_packaged
from costpolicy.units import Money

EMPTY_CURRENCY = "USD"
"""The currency of no books at all: that of the packaged list prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """Accelerators of one product and one way of paying.

    Attributes:
        hourly: price of one accelerator for one hour, in ``currency``.
        count: accelerators paid for whether used or not (``Reserved`` only).
        node_selector: labels of the nodes; empty means the product labels of the catalogue.
        resource_name: extended resource that pods request.
        accelerators_per_node: as the book says, or a typical node's of the catalogue.
        per_node_stated: whether the book said so; otherwise real nodes know better.
        max_nodes: nodes that a cluster may start for it; ``None`` if the book does not say.
        source: where the price was read.
        effective_from: since when it holds.
        book: name of the PriceBook it is from.
    """

    accelerator: Accelerator
    capacity_type: CapacityType
    hourly: Money
    currency: str
    count: int | None
    node_selector: Mapping[str, str] = field(hash=False)
    resource_name: str
    accelerators_per_node: int
    per_node_stated: bool
    max_nodes: int | None
    source: str
    effective_from: datetime
    book: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Merged books, all in one currency, one offering for each accelerator and capacity type.

    ``problems`` are sentences about entries that could not be used, naming book and entry; the rest holds.
    """

    currency: str
    offerings: tuple[Offering, ...]
    token_prices: tuple[TokenPrice, ...]
    problems: tuple[str, ...]

    def hourly(self) -> dict[tuple[str, CapacityType], Money]:
        """Return what one accelerator costs an hour, by its name and how it is paid for."""
        return {(offering.accelerator.name, offering.capacity_type): offering.hourly for offering in self.offerings}


@dataclass(frozen=True, slots=True)
class _Candidate:
    book: PriceBook
    spec: OfferingSpec
    since: datetime

    @property
    def rank(self) -> tuple[int, float, str]:
        """Sort key, best first: priority, then how recent; the book's name only makes ties repeatable."""
        return (-self.book.spec.priority, -self.since.timestamp(), self.book.metadata.name)


def merge_books(books: Sequence[PriceBook], now: datetime) -> PriceList:
    """Merge price books: highest priority wins, then the latest ``effectiveFrom`` that is not after ``now``.

    The currency is that of the book of highest priority; books in another one are left out and reported,
    because nothing here converts money.
    """
    ordered = sorted(books, key=lambda book: (-book.spec.priority, book.metadata.name))
    currency = ordered[0].spec.currency if ordered else EMPTY_CURRENCY
    problems = [
        f"PriceBook {book.metadata.name} is in {book.spec.currency}, not {currency}: it is not used"
        for book in ordered
        if book.spec.currency != currency
    ]
    same = [book for book in ordered if book.spec.currency == currency]
    candidates = [candidate for candidate in _candidates(same, problems) if candidate.since <= now]
    candidates.sort(key=lambda each: (each.spec.accelerator, each.spec.capacity_type, each.rank))
    offerings = []
    for _, rivals in groupby(candidates, key=lambda each: (each.spec.accelerator, each.spec.capacity_type)):
        best, *others = rivals
        problems += _ties(best, others)
        offerings.append(_offering(best))
    return PriceList(
        currency=currency,
        offerings=tuple(offerings),
        token_prices=_token_prices(same),
        problems=tuple(problems),
    )


def next_change(books: Sequence[PriceBook], now: datetime) -> datetime | None:
    """Return when a price begins to hold that does not yet; until then books merge into the same."""
    return min((each.since for each in _candidates(books, []) if each.since > now), default=None)


def load_price_book(text: str, filename: str) -> PriceBook:
    """Read one PriceBook document from a file.

    Raises:
        CatalogError: the file is broken, or names an accelerator that the catalogue lacks.
    """
    document = read_document(text, filename, _shape())
    for index, offering in enumerate(document.value.spec.offerings):
        if offering.accelerator not in accelerators():
            path = ("spec", "offerings", index, "accelerator")
            raise document.error(path, f"{offering.accelerator} is not in the catalogue")
    return document.value


@cache
def list_price_book() -> PriceBook:
    """Return the packaged list prices: dated, of public clouds, at the lowest priority."""
    return load_price_book(read_packaged("list_prices.yaml"), "list_prices.yaml")


@cache
def _shape() -> TypeAdapter[PriceBook]:
    return TypeAdapter(PriceBook)


def _candidates(books: Iterable[PriceBook], problems: list[str]) -> Iterator[_Candidate]:
    for book in books:
        for spec in book.spec.offerings:
            entry = f"PriceBook {book.metadata.name}: {spec.accelerator} {spec.capacity_type}"
            if spec.accelerator not in accelerators():
                problems.append(f"{entry}: the catalogue has no accelerator of that name")
                continue
            try:
                since = _instant(spec.effective_from)
            except ValueError:
                problems.append(f"{entry}: effectiveFrom {spec.effective_from} is not a day of the calendar")
                continue
            yield _Candidate(book, spec, since)


def _instant(text: str) -> datetime:
    """Return a date's midnight in UTC, or the instant of an RFC 3339 time."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _ties(best: _Candidate, others: Iterable[_Candidate]) -> list[str]:
    return [
        f"PriceBooks {best.book.metadata.name} and {other.book.metadata.name} both price "
        f"{best.spec.accelerator} {best.spec.capacity_type} at priority {best.book.spec.priority} from "
        f"{best.spec.effective_from}: {best.book.metadata.name} is used"
        for other in others
        if other.rank[:2] == best.rank[:2] and other.spec.hourly != best.spec.hourly
    ]


def _offering(candidate: _Candidate) -> Offering:
    spec = candidate.spec
    accelerator = accelerators()[spec.accelerator]
    return Offering(
        accelerator=accelerator,
        capacity_type=spec.capacity_type,
        hourly=Money.parse(spec.hourly),
        currency=candidate.book.spec.currency,
        count=spec.count,
        node_selector=spec.node_selector,
        resource_name=spec.resource_name or accelerator.resource_name,
        accelerators_per_node=spec.accelerators_per_node or accelerator.accelerators_per_node,
        per_node_stated=spec.accelerators_per_node is not None,
        max_nodes=spec.max_nodes,
        source=spec.source,
        effective_from=candidate.since,
        book=candidate.book.metadata.name,
    )


def _token_prices(books: Iterable[PriceBook]) -> tuple[TokenPrice, ...]:
    """Return one price for each provider and model: the first book's, in order of precedence."""
    found: dict[tuple[str, str], TokenPrice] = {}
    for book in books:
        for price in book.spec.token_prices:
            found.setdefault((price.provider, price.model), price)
    return tuple(found.values())
