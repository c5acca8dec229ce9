"""Charts of the page, as SVG without text: what is written stands beside them in HTML, so that it is readable on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from costpolicy.reporting.markup import element

_HEIGHT: Final = 200.0
_SLOT: Final = 20.0
_GAP: Final = 4.0
SERIES: Final = 6
"""Colours of a stack; the last one is for all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One bar: what it is called, and its parts from the bottom."""

    label: str
    parts: Sequence[float]


def stacked_bars(stacks: Sequence[Stack], top: float, said: str) -> Element:
    """Return bars side by side.

    Args:
        stacks: bars in order.
        top: value of the upper edge, above 0.
        said: the chart in a sentence, for those who do not see it.
    """
    width = _SLOT * len(stacks)
    lines = [_line(0, _HEIGHT * quarter / 4, width, _HEIGHT * quarter / 4, "grid") for quarter in range(5)]
    bars = []
    for place, stack in enumerate(stacks):
        bar = element("g", element("title", stack.label))
        height = _HEIGHT
        for number, part in enumerate(stack.parts):
            tall = _HEIGHT * part / top
            height -= tall
            if tall > 0:
                bar.append(
                    _rectangle(place * _SLOT + _GAP / 2, height, _SLOT - _GAP, tall, f"s{min(number, SERIES - 1)}")
                )
        bars.append(bar)
    return _drawing(width, _HEIGHT, said, *lines, *bars, class_="bars")


def share_bar(share: float, said: str, series: str = "s0") -> Element:
    """Return a bar as long as a share between 0 and 1."""
    return _drawing(
        100,
        6,
        said,
        _rectangle(0, 0, 100, 6, "track"),
        _rectangle(0, 0, 100 * min(max(share, 0.0), 1.0), 6, series),
        class_="share",
    )


def bullet(spent: float, forecast: float, budget: float, said: str) -> Element:
    """Return what is spent within what is forecast, with a mark at the budget."""
    top = max(spent, forecast, budget) * 1.05 or 1.0
    mark = 100 * budget / top
    return _drawing(
        100,
        14,
        said,
        _rectangle(0, 3, 100, 8, "track"),
        _rectangle(0, 3, 100 * forecast / top, 8, "over" if forecast > budget else "coming"),
        _rectangle(0, 3, 100 * spent / top, 8, "s0"),
        _rectangle(min(mark, 99.4), 0, 0.6, 14, "mark"),
        class_="bullet",
    )


def whisker(low: float, high: float, said: str) -> Element:
    """Return an interval of shares between -1 and 1, zero in its axis."""
    reach = max(abs(low), abs(high), 0.05) * 1.15
    begin, end = (50 + 50 * value / reach for value in (low, high))
    style = "good" if low > 0 else "bad" if high < 0 else "unsure"
    return _drawing(
        100,
        20,
        said,
        _rectangle(0, 9.5, 100, 1, "grid"),
        _rectangle(begin, 6, max(end - begin, 0.5), 8, style),
        _rectangle(49.85, 2, 0.3, 16, "mark"),
        class_="whisker",
    )


def signed_bar(share: float, reach: float, said: str) -> Element:
    """Return a bar from the middle: to the right what made it cheaper, to the left what made it dearer."""
    length = 50 * abs(share) / (reach or 1.0)
    begin = 50.0 if share >= 0 else 50 - length
    return _drawing(
        100,
        8,
        said,
        _rectangle(0, 0, 100, 8, "track"),
        _rectangle(begin, 0, length, 8, "good" if share >= 0 else "bad"),
        _rectangle(49.85, 0, 0.3, 8, "mark"),
        class_="signed",
    )


def _drawing(width: float, height: float, said: str, *parts: Element, class_: str) -> Element:
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        preserveAspectRatio="none",
        role="img",
        aria_label=said,
        class_=class_,
    )


def _rectangle(left: float, top: float, width: float, height: float, class_: str) -> Element:
    return element("rect", x=_number(left), y=_number(top), width=_number(width), height=_number(height), class_=class_)


def _line(left: float, top: float, right: float, bottom: float, class_: str) -> Element:
    return element("line", x1=_number(left), y1=_number(top), x2=_number(right), y2=_number(bottom), class_=class_)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
