"""The documents that a command is given: policies, price books, and the packaged list prices under them."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from costpolicy.cli.console import Console, InputError

if TYPE_CHECKING:
    from datetime import datetime

    from costpolicy.api.documents import Document
    from costpolicy.api.policy import CostPolicy
    from costpolicy.catalog.prices import PriceList


def add_files(command: argparse.ArgumentParser) -> None:
    """Add the option that names the documents."""
    command.add_argument(
        "-f",
        "--file",
        action="append",
        required=True,
        metavar="FILE",
        help="CostPolicy and PriceBook documents; - for stdin",
    )


def load(files: Sequence[str], console: Console, now: "datetime") -> tuple[list["CostPolicy"], "PriceList"]:
    """Return the policies of the files, and their price books merged over the packaged list prices.

    Raises:
        InputError: a file cannot be read, a document is wrong, or there is no policy.
    """
    policies, prices = read(files, console, now)
    if not policies:
        raise InputError("no CostPolicy in the given files: pass one with -f")
    return policies, prices


def read(files: Sequence[str], console: Console, now: "datetime") -> tuple[list["CostPolicy"], "PriceList"]:
    """Return the same of files that may hold prices only.

    Raises:
        InputError: a file cannot be read, or a document is wrong.
    """
    from costpolicy.api.policy import CostPolicy

    documents = parse(files, console)
    policies = [document for document in documents if isinstance(document, CostPolicy)]
    return policies, prices_of(documents, console, now)


def parse(files: Sequence[str], console: Console) -> list["Document"]:
    """Return all documents of the files.

    Raises:
        InputError: a file cannot be read, or a document is wrong.
    """
    from costpolicy.api.documents import DocumentError, parse_documents

    found: list[Document] = []
    for file in files:
        try:
            found += parse_documents(console.read(file))
        except DocumentError as error:
            raise InputError(f"{file}: {error}") from error
    return found


def prices_of(documents: Sequence["Document"], console: Console, now: "datetime") -> "PriceList":
    """Return the price books among documents, merged over the packaged list prices."""
    from costpolicy.api.pricebook import PriceBook
    from costpolicy.catalog.prices import list_price_book, merge_books

    books = [document for document in documents if isinstance(document, PriceBook)]
    prices = merge_books([*books, list_price_book()], now)
    for problem in prices.problems:
        console.note(f"costpolicy: {problem}")
    return prices
