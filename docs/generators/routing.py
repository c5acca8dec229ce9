"""The reference of smart routing: what the score can do, from figures that a study has measured.

The study (`make routing-study`) needs RouteLLM's labels, which are no part of the project; its figures are kept in
`routing_figures.json`, so the page can be made without them.
"""

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from costpolicy.router_plugin.features import FEATURES, LOOKED_AT
from costpolicy.routing.coefficients import ANCHOR, ANCHORED_FROM, FOLDS, LEARNED_FROM, TREES_FROM
from costpolicy.routing.guard import DRIFTED, FEWEST_SCORES, OLDEST
from costpolicy.routing.proof import GAINS_ERROR, LOSSES_ERROR

FIGURES = Path(__file__).parent / "routing_figures.json"
NAMES = {"mmlu": "MMLU", "gsm8k": "GSM8K"}

HEAD = f"""\
# Smart routing: what the score can do

<!-- Made by docs/generators/routing.py from routing_figures.json, which `make routing-study` measures; do not edit. -->

How routing is meant to be used is in [concepts/routing.md](../concepts/routing.md).

Labels: whether gpt-4-1106 (strong) and Mixtral-8x7B (weak) answered rightly, half of the questions of MMLU and GSM8K that
the RouteLLM repository (lm-sys/RouteLLM, Apache-2.0) holds.
They are not shipped with the project.
Each set is one pair of models; other pairs were not measured.

## The score

| Labels | Basis | Parts |
|---|---|---|
| fewer than {ANCHORED_FROM} | `Form` | capitalised words and length |
| {ANCHORED_FROM} to {LEARNED_FROM - 1} | `Anchored` | form, and two ridge regressions; of N labels these weigh N / (N + {ANCHOR}) |
| {LEARNED_FROM} and more | `Learned` | the regressions, and form as one part of three |
| {TREES_FROM:,} and more | `Learned` | also boosted trees on the features, and form as one part of four |

The regressions are on {len(FEATURES)} features of form and everyday words, and on hashed words and pairs of words.
What is learned is the benefit of the strong model: right, minus right of the weak one.
At most {LOOKED_AT:,} characters of a prompt are looked at, half from each end.
"""
SCORES = f"""
## Better than prompt length

{FOLDS} folds, no question scored by a fit on it, mean of three ways to divide.
APGR is the mean share of the gap between weak and strong that is recovered at 0, 10, ... 100 % of calls to the strong model; random is 0.5.
CPT50 and CPT80 are the shares of calls that recover half and 80 % of the gap; the last share has 95 % of the strong model's score.
The difference to prompt length has a 95 % interval from a paired bootstrap over questions.

| Questions | Score | APGR | CPT50 | CPT80 | For 95 % | APGR less that of prompt length |
|---|---|---|---|---|---|---|
"""
CARRIED = """
## Traffic that was not labelled

Fitted on other subjects, or on the other set: what happens when traffic is not what was labelled.

| Fitted and asked | APGR | Prompt length there | Difference |
|---|---|---|---|
"""
EFFICIENCY = """
## How many labels it takes

So many labels drawn, the rest asked (at most 2,000); means over draws, which overlap.

| Questions | Labels | Prompt length | No labels | Score (deviation over draws) | Better than length | Better than no labels |
|---|---|---|---|---|---|---|
"""
CALIBRATIONS = f"""
## What may be routed

Calibrated on one half, routed on the other.
Saved is the share of calls that the strong model is spared.
Broken counts the draws in which the other half, with its own noise, lost more than allowed.
Proven is what the product does: exact bounds (Clopper and Pearson) on losses ({LOSSES_ERROR:.1%} chance of error)
and gains ({GAINS_ERROR:.1%}), thresholds tested from the most careful one on.
Estimated is the largest threshold whose estimated loss is allowed: it is not done, and this is why.

| Questions | Labels | Largest loss | Saved, proven (range over draws) | Broken | Saved, estimated | Broken |
|---|---|---|---|---|---|---|
"""
TAIL = f"""
With fewer than about 350 labels nothing can be proven at 1 %, even if no question is lost, and nothing is routed.

## When routing stops by itself

| Reason | When |
|---|---|
| `NothingProven` | no threshold is proven |
| `EvidenceStale` | the labels are more than {OLDEST.days} days old |
| `TrafficDrifted` | {FEWEST_SCORES} scores and more have a population stability index of {DRIFTED} and more against the calibration |
| `QualityLost` | the newest 500 labels show a larger loss than allowed, with the bounds above |

Then everything goes to the strong model.
"""


def page() -> str:
    """Return the page as Markdown."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    return "".join(
        [
            HEAD,
            SCORES,
            *_scores(figures["scores"]),
            CARRIED,
            *_carried(figures),
            EFFICIENCY,
            *_efficiency(figures["labelEfficiency"]),
            CALIBRATIONS,
            *_calibrations(figures["calibrations"]),
            TAIL,
        ]
    )


def _scores(figures: dict[str, Any]) -> list[str]:
    return [
        f"| {NAMES[name]}, {rows['labels']:,} | {title} | {row['apgr']:.3f} | {row['cpt50']:.2f} | {row['cpt80']:.2f} "
        f"| {row['shareFor95']:.2f} | {'' if title == 'prompt length' else _interval(row)} |\n"
        for name, rows in figures.items()
        for title, row in rows.items()
        if isinstance(row, dict)
    ]


def _carried(figures: dict[str, Any]) -> list[str]:
    there = {title: "gsm8k" if title.endswith("GSM8K") else "mmlu" for title in figures["carried"]}
    return [
        f"| {title} | {row['apgr']:.3f} | {figures['scores'][there[title]]['prompt length']['apgr']:.3f} | {_interval(row)} |\n"
        for title, row in figures["carried"].items()
    ]


def _interval(row: dict[str, Any]) -> str:
    low, high = row["overLength"]
    return f"{low:+.3f} to {high:+.3f}"


def _efficiency(figures: dict[str, Any]) -> list[str]:
    return [
        f"| {NAMES[name]} | {int(labels):,} | {row['prompt length']:.3f} | {row['without labels']:.3f} "
        f"| {row['score']:.3f} ({row['deviation']:.3f}) | {row['better than length']} of {row['draws']} "
        f"| {row['better than without labels']} of {row['draws']} |\n"
        for name, rows in figures.items()
        for labels, row in rows.items()
    ]


def _calibrations(figures: dict[str, Any]) -> list[str]:
    return [
        f"| {NAMES[name]} | {rows['labels']:,} | {limit} | {fmean(row['saved']):.1%} ({min(row['saved']):.1%} to "
        f"{max(row['saved']):.1%}) | {_broken(row['lost'], limit)} | {fmean(row['estimated saved']):.1%} "
        f"| {_broken(row['estimated lost'], limit)} |\n"
        for name, rows in figures.items()
        for limit, row in rows.items()
        if isinstance(row, dict)
    ]


def _broken(lost: list[float], limit: str) -> str:
    return f"{sum(loss > float(limit.rstrip('%')) / 100 for loss in lost)} of {len(lost)}"
