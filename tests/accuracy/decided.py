"""The page's section on decisions: how they fare, how well any model could, what costs the rest."""

import random
from collections.abc import Callable, Sequence
from statistics import mean, quantiles

import measurements
from accuracy.ceiling import Cause, Loss, losses, measured, measured_again, refined
from accuracy.decisions import MARGINS, Choice, Decisions, Margins, choices, decide, list_prices, orders
from accuracy.errors import Predicted, predict
from costpolicy.perf.calibration import INTER_TOKEN_FLOOR, TTFT_FLOOR

_REPEATS = 200
_STEPS = 8
_ASKED = 0.9
_SHOWN = 0.001
_HOST_BOUND = 256
_NONE = Margins(1.0, 1.0)


def section(draws: Sequence[Sequence[Predicted]]) -> str:
    """Return the section for predictions of the same rows by several draws of folds."""
    drawn = [choices(found) for found in draws]
    return f"""
## Decisions

Pick the highest predicted throughput per accelerator whose predicted latencies, with their margins, keep the objective;
25 pairs of objectives, groups of 4 rows and more, predictions by folds; a declined decision counts as not kept.
There are {len(list(decide(drawn[0])))} such decisions.

| Pick by | Kept when measured | Of the best measured throughput per accelerator |
|---|---|---|
{_fared("predictions", drawn, MARGINS)}{_fared("predictions without margins", drawn, _NONE)}\
{_fared("the measured values themselves", [measured(drawn[0])], MARGINS)}\
{_fared("the same, margin on TTFT only", [measured(drawn[0])], MARGINS._replace(inter_token=1.0))}\
{_fared("the same, margin on inter-token latency only", [measured(drawn[0])], MARGINS._replace(ttft=1.0))}\
{_fared_again(drawn[0])}\
{_fared("predictions, finer table", [refined(one, _STEPS) for one in drawn], MARGINS)}\
{_fared("predictions without margins, finer table", [refined(one, _STEPS) for one in drawn], _NONE)}\
{_fared("the measured values themselves, finer table", [refined(measured(drawn[0]), _STEPS)], MARGINS)}
{_ceiling(drawn)}
{_causes(drawn)}
{_orders()}"""


def _fared(title: str, drawn: Sequence[Sequence[Choice]], margins: Margins) -> str:
    scores = [Decisions.of(list(decide(one, margins))) for one in drawn]
    return f"| {title} | {_span(scores, lambda one: one.kept)} | {_span(scores, lambda one: one.share_of_best)} |\n"


def _fared_again(among: Sequence[Choice]) -> str:
    scores = _again(among)
    return (
        f"| a repeat of the measurement, {_REPEATS} draws, 5th to 95th percentile | "
        f"{_most(scores, lambda one: one.kept)} | {_most(scores, lambda one: one.share_of_best)} |\n"
    )


def _again(among: Sequence[Choice]) -> list[Decisions]:
    chance = random.Random(0)
    return [Decisions.of(list(decide(measured_again(among, chance)))) for _ in range(_REPEATS)]


def _ceiling(drawn: Sequence[Sequence[Choice]]) -> str:
    decided = list(decide(measured(drawn[0])))
    missed = sorted(one.decision.lost for one in losses(decided))
    above = sum(one.share_of_best >= _ASKED for one in _again(drawn[0]))
    return f"""\
A model without any error would lose {1.0 - Decisions.of(decided).share_of_best:.1%} to the margins that the test sets, \
{MARGINS.ttft:g} on TTFT and {MARGINS.inter_token:g} on inter-token latency.
So on these rows {_ASKED:.0%} is reached only by predictions that happen to be too low where it counts.
The table is coarse: mostly the load doubles from row to row, and where the best row lies within a margin of an objective
the next one has {missed[0]:.0%} to {missed[-1]:.0%} less throughput, {mean(missed):.0%} on average.
A repeat of the measurement varies by {TTFT_FLOOR:.1%} in TTFT and {INTER_TOKEN_FLOOR:.1%} in inter-token latency; \
{above} of {_REPEATS} such repeats reach {_ASKED:.0%}.
In the finer table {_STEPS} loads for each doubling are interpolated between the measured ones.
There the margins cost less, and picks lie nearer to the objective, so fewer are kept.
"""


def _causes(drawn: Sequence[Sequence[Choice]]) -> str:
    decided = [decision for one in drawn for decision in decide(one)]
    kept = sum(one.kept for one in decided)
    found = list(losses(decided))
    lines = "".join(
        f"| {cause} | {_lost(part) / kept:.1%} | {len(part) / len(drawn):g} |\n"
        for cause in Cause
        if (part := [one for one in found if one.cause is cause])
    )
    return f"""\
| Why the best row was not picked | Throughput lost | Decisions a draw |
|---|---|---|
{lines}
Rows whose predictions are too high:

| Row | Throughput lost | TTFT predicted over measured | Inter-token latency, likewise |
|---|---|---|---|
{_too_high(found, kept)}
With FP8 weights engines are slower at 32 clients and faster at 64 than the formula, which is smooth, says (see the parts
by clients above).
Kernel tables show some of it: on the H200 the four FP8 matrix products of a layer of 70B take 8 to 24 % longer for 32
sequences than for 16, and 6 to 13 % longer than for 64; on the H100 they differ from those for 64 by less than 4 %
(aiconfigurator-core 0.12.0, vLLM 0.24).
A formula that followed them would say that a fuller step is faster, and plans rely on the reverse.
"""


def _too_high(found: Sequence[Loss], kept: int) -> str:
    by_row: dict[str, list[Loss]] = {}
    for one in found:
        if one.cause in (Cause.PREDICTED_TTFT, Cause.PREDICTED_INTER_TOKEN):
            by_row.setdefault(one.decision.best.name, []).append(one)
    return "".join(
        f"| {name} | {_lost(part) / kept:.1%} | {best.believed.ttft / best.measured.ttft:.2f} "
        f"| {best.believed.inter_token / best.measured.inter_token:.2f} |\n"
        for name, part in sorted(by_row.items(), key=lambda item: -_lost(item[1]))
        if _lost(part) / kept >= _SHOWN and (best := part[0].decision.best)
    )


def _orders() -> str:
    own = [row for row in measurements.own() if row.concurrency]
    pairs = orders(predict(own), list_prices())
    wrong = "".join(
        f"| {one.first} | {one.second} | {one.measured:.2f} | {one.predicted:.2f} |\n" for one in pairs if not one.right
    )
    bound = [row for row in own if row.concurrency >= _HOST_BOUND and row.shape.max_num_seqs >= row.concurrency]
    each = sorted(row.inter_token / row.concurrency * 1e6 for row in bound)
    return f"""\
Of {len(pairs)} pairs of own configurations under the same load whose cost per token differs by more than 10 %, \
{sum(one.right for one in pairs)} are
predicted in the right order; the others, tokens for the same money:

| Of | Over | Measured | Predicted |
|---|---|---|---|
{wrong}
There the API server is the limit and not the accelerator: the {len(bound)} runs of {_HOST_BOUND} clients and more took \
{each[0]:.0f} to {each[-1]:.0f} us a
streamed token, one run each, in no order of format or accelerator.
FP8 was the slower format on the H100 at 512 clients and the faster one on the H200 at 256.
"""


def _lost(part: Sequence[Loss]) -> float:
    return sum(one.decision.lost for one in part)


def _span(scores: Sequence[Decisions], of: Callable[[Decisions], float]) -> str:
    low, high = min(map(of, scores)), max(map(of, scores))
    return f"{low:.1%}" if len(scores) == 1 else f"{low:.1%} to {high:.1%}"


def _most(scores: Sequence[Decisions], of: Callable[[Decisions], float]) -> str:
    cuts = quantiles(map(of, scores), n=20)
    return f"{cuts[0]:.1%} to {cuts[-1]:.1%}"
