"""The prices in force: books are merged again only when one of them, or a price that holds, is another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from costpolicy.api.pricebook import PriceBook
from costpolicy.catalog.prices import PriceList, merge_books, next_change
from costpolicy.kube.gateway import Unreadable

Books = tuple[PriceBook | Unreadable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    """What books merged into, from when it was worked out until another price begins to hold."""

    books: Books
    prices: PriceList
    since: datetime
    until: datetime | None

    def holds(self, books: Books, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until) and self.books == books


class PricesInForce:
    """Merges price books, and remembers what they merged into last."""

    def __init__(self) -> None:
        self._known: _Priced | None = None

    def of(self, books: Books, now: datetime) -> PriceList:
        """Return the prices in force: the same object until they may be others."""
        if self._known is None or not self._known.holds(books, now):
            until = next_change([book for book in books if isinstance(book, PriceBook)], now)
            self._known = _Priced(books=books, prices=prices_of(books, now), since=now, until=until)
        return self._known.prices


def prices_of(books: Sequence[PriceBook | Unreadable], now: datetime) -> PriceList:
    """Return the prices in force; a book that cannot be read is left out and named first among the problems."""
    prices = merge_books([book for book in books if isinstance(book, PriceBook)], now)
    unreadable = tuple(
        f"PriceBook {book.ref.name} is not used: {book.message}" for book in books if isinstance(book, Unreadable)
    )
    return replace(prices, problems=(*unreadable, *prices.problems))
