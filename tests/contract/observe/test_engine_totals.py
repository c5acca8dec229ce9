"""What ``costpolicy audit --prometheus`` asks, against a real Prometheus that holds recorded engines.

Covered: one recorded engine, scraped once and twice; two engines of one model; data-parallel ranks; speculation; that
the answer is what its exposition says.  Not covered: the command itself (tests/unit/cli/test_audit.py).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from contract.observe.tapes import END, RECORDED, Tape
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.totals import SERIES, Kind, Model, Totals, totals_of_expositions, totals_of_prometheus

H100, NGRAM, DP2 = "0.25.1-h100-bf16.txt", "0.32.0-cpu-ngram.txt", "0.32.0-cpu-dp2.txt"
AT = datetime.fromtimestamp(END, tz=UTC)


def target(namespace: str, instance: str, job: str = "engines") -> dict[str, str]:
    return {"namespace": namespace, "pod": instance, "instance": instance, "job": job}


@pytest.fixture(scope="module")
def totals(backfilled: Callable[[Tape], "object"]) -> Mapping[Model, Totals]:
    tape = Tape()
    tape.engine(target("one", "a:8000"), H100)
    tape.engine(target("twice", "b:8000"), H100)
    tape.engine(target("twice", "b:8000", job="again"), H100)
    tape.engine(target("two", "c:8000"), H100)
    tape.engine(target("two", "d:8000"), H100)
    tape.engine(target("ranks", "e:8000"), DP2)
    tape.engine(target("proposing", "f:8000"), NGRAM)
    with backfilled(tape).source() as source:  # type: ignore[attr-defined]
        return totals_of_prometheus(source, AT, timedelta(hours=1))


def recorded(file: str) -> Totals:
    [found] = totals_of_expositions([(RECORDED / file).read_text()]).values()
    return found


@pytest.mark.parametrize(
    ("namespace", "file", "times"),
    [("one", H100, 1), ("twice", H100, 1), ("two", H100, 2), ("ranks", DP2, 1), ("proposing", NGRAM, 1)],
)
def test_counts_what_the_expositions_of_the_engines_say(totals, namespace: str, file: str, times: int):
    expected = recorded(file)
    [found] = [each for model, each in totals.items() if model.namespace == namespace]

    assert times * expected.engines == found.engines
    assert True is found.prefix_caching
    # A gauge that stood still has not changed; what no engine exports is absent in both.
    growing = {name for name in expected.values if SERIES[name].kind is Kind.GROWTH}
    assert growing == {name for name in found.values if SERIES[name].kind is Kind.GROWTH}
    for name in growing:
        whole = {split: times * value for split, value in expected.values[name].items()}
        assert whole == pytest.approx(found.values[name]), name
    assert 0.0 == found.value(EngineMetric.RUNNING)


def test_a_model_of_one_namespace_is_not_that_of_another(totals):
    assert {"one", "twice", "two", "ranks", "proposing"} == {model.namespace for model in totals}
