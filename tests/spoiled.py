"""A catalogue with a broken data file, for as long as a test needs it."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

NONSENSE = "\n- nonsense\n"
FILES = {
    "accelerators.yaml": ("costpolicy.catalog.accelerators", "accelerators"),
    "models.yaml": ("costpolicy.catalog.models", "models"),
    "list_prices.yaml": ("costpolicy.catalog.prices", "list_price_book"),
}
"""Data files with the module that reads them and its loader, which remembers them."""


@contextmanager
def spoiled(file: str) -> Iterator[None]:
    """Let a data file hold nonsense on its second line."""
    name, loader = FILES[file]
    module = importlib.import_module(name)
    load = getattr(module, loader)
    load.cache_clear()
    try:
        with patch.object(module, "read_packaged", lambda _: NONSENSE):
            yield
    finally:
        load.cache_clear()
