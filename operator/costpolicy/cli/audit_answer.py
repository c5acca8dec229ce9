"""What ``costpolicy audit`` prints: one answer a model, the dearest finding first."""

from collections.abc import Iterable
from typing import Any, assert_never

from costpolicy.api.missing import Missing
from costpolicy.cli.console import Console
from costpolicy.observe.totals import Model
from costpolicy.savings.audit.finding import Answers, Audit, Found, Healthy, Kept
from costpolicy.savings.replan import Saving


def answer(model: Model, answers: Answers, currency: str) -> dict[str, Any]:
    """Return the JSON answer; money is a decimal string a month, null where it cannot be said."""
    parts: dict[str, Any] = {"findings": [], "kept": [], "missing": [], "healthy": []}
    for audit, said in answers.items():
        match said:
            case Found():
                parts["findings"].append(_found(audit, said))
            case Kept():
                parts["kept"].append(_kept(audit, said))
            case Missing():
                parts["missing"].append({"audit": audit.name, "reason": said.reason.value, "message": said.message})
            case Healthy():
                parts["healthy"].append(audit.name)
            case _:
                assert_never(said)
    parts["findings"].sort(key=lambda one: -float(one["savesPerMonth"] or 0))
    return {"model": model.name, "namespace": model.namespace, "currency": currency, **parts}


def _found(audit: Audit, found: Found) -> dict[str, Any]:
    return {
        "audit": audit.name,
        "title": audit.title,
        "evidence": found.evidence,
        "wastedTokens": None if found.wasted_tokens is None else round(found.wasted_tokens),
        "share": None if found.share is None else round(found.share, 4),
        **_saving(found.saving),
        "confidence": found.confidence.value,
        "advice": found.advice,
    }


def _kept(audit: Audit, kept: Kept) -> dict[str, Any]:
    return {
        "audit": audit.name,
        "title": audit.title,
        "evidence": kept.evidence,
        "sparedTokens": round(kept.spared_tokens),
        **_saving(kept.saving),
    }


def _saving(saving: Saving | Missing) -> dict[str, Any]:
    if isinstance(saving, Missing):
        return {"savesPerMonth": None, "acceleratorsFreed": None, "reason": saving.message}
    return {
        "savesPerMonth": saving.per_month.text(2),
        "acceleratorsFreed": saving.accelerators_freed,
        "reason": None if saving.per_month.micros else "no accelerator goes",
    }


def print_answer(one: dict[str, Any], console: Console) -> None:
    """Print one model's answer as a table, and below it what could not be said."""
    from rich.console import Console as Terminal
    from rich.table import Table

    where = f"{one['namespace']}/" if one["namespace"] else ""
    table = Table(box=None, pad_edge=False, title=f"{where}{one['model']}", title_justify="left")
    for head in ("found", f"{one['currency']} a month", "accelerators", "confidence", "evidence and what to do"):
        table.add_column(head, overflow="fold")
    for row in one["findings"]:
        told = f"{row['evidence']}. {row['advice'][0].upper()}{row['advice'][1:]}."
        table.add_row(row["audit"], *_figures(row), row["confidence"], told)
    for row in one["kept"]:
        table.add_row(f"kept: {row['audit']}", *_figures(row), "High", f"{row['evidence']}.")
    Terminal(file=console.out, width=160, highlight=False).print(table)
    if not one["findings"]:
        console.print("no waste found")
    for line in _unsaid(one):
        console.note(f"costpolicy: {line}")


def _figures(row: dict[str, Any]) -> tuple[str, str]:
    freed = row["acceleratorsFreed"]
    return row["savesPerMonth"] or "-", "-" if freed is None else f"{freed:.2f}"


def _unsaid(one: dict[str, Any]) -> Iterable[str]:
    for row in (*one["findings"], *one["kept"]):
        if row["savesPerMonth"] is None:
            yield f"{row['audit']} has no price: {row['reason']}"
    for row in one["missing"]:
        yield f"{row['audit']} is not judged: {row['message']}"
