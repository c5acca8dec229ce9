"""Elements of a page.  Text is escaped when the page is written, never before, and there is no way around it."""

from collections.abc import Iterable
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, tostring

Child: TypeAlias = Element | str | None
"""An element, a text, or nothing."""
_ATTRIBUTES: Final = {"class_": "class", "for_": "for"}


def element(tag: str, *children: Child, **attributes: str) -> Element:
    """Return an element; ``class_`` is its class, and ``aria_label`` an attribute ``aria-label``."""
    made = Element(tag, {_named(name): value for name, value in attributes.items()})
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
            last = child
        elif child is not None and last is None:
            made.text = (made.text or "") + child
        elif child is not None and last is not None:
            last.tail = (last.tail or "") + child
    return made


def written(page: Element) -> str:
    """Return a document as HTML."""
    return "<!doctype html>\n" + tostring(page, encoding="unicode", method="html") + "\n"


def cells(tag: str, values: Iterable[Child], classes: Iterable[str] = ()) -> list[Element]:
    """Return cells of a row; ``classes`` are those of each, in order."""
    named = list(classes)
    return [
        element(tag, value, **({"class_": named[place]} if place < len(named) and named[place] else {}))
        for place, value in enumerate(values)
    ]


def _named(name: str) -> str:
    return _ATTRIBUTES.get(name, name.replace("_", "-"))
