"""Labels from samples over real HTTP: who is asked what, who is right, what it costs, and where it stops.

Not covered: a real router (tests/router), real engines.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from answering import Answering, Reply, answering, completion
from costpolicy.api.types import JudgeType
from costpolicy.evaluator.endpoint import Endpoint, EndpointError
from costpolicy.evaluator.graders import Grader, model_grader, text_grader
from costpolicy.evaluator.labelling import Labelled, Labelling, Tokens, total_cost
from costpolicy.evaluator.labels_file import LabelsFile
from costpolicy.evaluator.samples import Sample, Samples, parse_samples, read_samples, shortened_samples
from costpolicy.router_plugin.compression import LEFT_OUT, Limits
from costpolicy.router_plugin.routes import Sampling
from costpolicy.router_plugin.sampling import sample_of, write
from costpolicy.routing.compression_proof import CompressionEvidence, Pairs
from costpolicy.routing.labels import parse_labels
from costpolicy.units import Money
from routers import prices

DAY = date(2026, 11, 29)
EXACT = text_grader(JudgeType.EXACT)


def sampled(*questions: str, **fields: Any) -> Samples:
    """Samples as a router writes them."""
    chats = ({"messages": [{"role": "user", "content": each}], **fields} for each in questions)
    return parse_samples(map(json.dumps, chats))


def question(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def says(text: str) -> Any:
    return lambda _: completion(text)


def labelled(
    strong: Answering, weak: Answering, path: Path, samples: Samples, grader: Grader = EXACT, **changes: Any
) -> tuple[Labelled, dict[str, tuple[bool, bool]]]:
    """What a run did, and who was right by prompt."""
    settings: dict[str, Any] = {
        "strong": Endpoint(strong.url, "chat/large", connections=4, attempts=1),
        "weak": Endpoint(weak.url, "chat/small", connections=4, attempts=1),
        "grader": grader,
        "max_tokens": 100,
        "concurrency": 1,
        "per_day": 100,
    }
    labels = LabelsFile.open(path, date(2000, 1, 1))
    done = Labelling(**(settings | changes)).run(samples.found, labels, DAY, lambda _: None)
    return done, {each.prompt: (each.strong, each.weak) for each in parse_labels(path.read_text())}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def test_the_cheaper_tier_is_right_where_it_says_what_the_trusted_one_says(path: Path):
    def repeats(body: dict[str, Any]) -> Reply:
        return completion(question(body).upper())

    with answering(repeats) as strong, answering(says("ONE")) as weak:
        done, right = labelled(strong, weak, path, sampled("one", "two"))

    assert {"one": (True, True), "two": (True, False)} == right
    assert (2, 0, 0) == (done.made, done.waiting, done.refused)


def test_both_are_asked_the_whole_sample_at_temperature_0(path: Path):
    lines = [
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}], "max_tokens": 7},
        {"prompt": "Once", "max_completion_tokens": 5000},
    ]
    with answering(says("a")) as strong, answering(says("a")) as weak:
        labelled(strong, weak, path, parse_samples(map(json.dumps, lines)), orders={"disable_fallbacks": True})
    bodies = sorted(weak.asked, key=lambda body: body["path"])

    assert lines[0]["messages"] == bodies[0]["messages"]
    assert [("chat/small", 0, 7, True), ("chat/small", 0, 100, True)] == [
        (body["model"], body["temperature"], body["max_tokens"], body["disable_fallbacks"]) for body in bodies
    ]
    assert {"chat/large"} == {body["model"] for body in strong.asked}


def test_a_judging_model_sees_the_trusted_answer_as_the_expected_one(path: Path):
    def judge(body: dict[str, Any]) -> Reply:
        return completion("yes" if "a parcel" in question(body) and "the parcel" in question(body) else "no")

    with answering(says("the parcel")) as strong, answering(says("a parcel")) as weak, answering(judge) as judging:
        _, right = labelled(
            strong, weak, path, sampled("What?"), model_grader(Endpoint(judging.url, "judge", attempts=1))
        )

    assert {"What?": (True, True)} == right


def test_the_same_answer_needs_no_judge(path: Path):
    def grader(*_: object) -> bool:
        pytest.fail("it was asked")

    with answering(says("Yes.")) as strong, answering(says("yes.")) as weak:
        _, right = labelled(strong, weak, path, sampled("Is it?"), grader)

    assert {"Is it?": (True, True)} == right


def test_what_the_judge_cannot_tell_counts_as_wrong(path: Path):
    with answering(says("a")) as strong, answering(says("b")) as weak:
        _, right = labelled(strong, weak, path, sampled("Which?"), lambda *_: None)

    assert {"Which?": (True, False)} == right


def test_where_the_trusted_tier_does_not_answer_nobody_is_right_and_nobody_else_is_asked(path: Path):
    def refuses(body: dict[str, Any]) -> Reply:
        return (400, {}) if question(body) == "long" else completion("<think>hm</think>")

    with answering(refuses) as strong, answering(says("b")) as weak:
        done, right = labelled(strong, weak, path, sampled("long", "silent"))

    assert {"long": (False, False), "silent": (False, False)} == right
    assert (2, []) == (done.refused, weak.asked)


def test_what_only_the_cheaper_tier_refuses_is_its_loss(path: Path):
    with answering(says("a")) as strong, answering(lambda _: (400, {})) as weak:
        _, right = labelled(strong, weak, path, sampled("long"))

    assert {"long": (True, False)} == right


def test_a_day_takes_no_more_than_its_number_over_all_runs(path: Path):
    questions = sampled(*(f"question {number}" for number in range(10)))
    with answering(says("a")) as strong, answering(says("a")) as weak:
        first, _ = labelled(strong, weak, path, questions, per_day=3)
        again, right = labelled(strong, weak, path, questions, per_day=4)
        none, _ = labelled(strong, weak, path, questions, per_day=4)

    assert (3, 1, 0) == (first.made, again.made, none.made)
    assert (7, 6, 6) == (first.waiting, again.waiting, none.waiting)
    assert 4 == len(right) == len(strong.asked)


def test_a_request_is_asked_once_however_often_it_was_sampled(path: Path):
    with answering(says("a")) as strong, answering(says("a")) as weak:
        labelled(strong, weak, path, sampled("same", "same"))
        labelled(strong, weak, path, sampled("same"))

    assert 1 == len(strong.asked) == len(weak.asked)


def test_a_tier_that_is_down_ends_the_run_and_labels_that_were_made_stay(path: Path):
    def ends(body: dict[str, Any]) -> Reply:
        return completion("a") if len(weak.asked) <= 2 else (500, {})

    with answering(says("a")) as strong, answering(ends) as weak, pytest.raises(EndpointError):
        labelled(strong, weak, path, sampled("one", "two", "three", "four"))

    assert 2 == len(parse_labels(path.read_text()))


def test_no_more_requests_at_a_time_than_asked_for(path: Path):
    with answering(says("a")) as strong, answering(says("a")) as weak:
        labelled(strong, weak, path, sampled(*map(str, range(12))), concurrency=3)

    assert strong.most_at_a_time <= 3


def test_it_costs_the_tokens_of_both_tiers(path: Path):
    with answering(lambda _: completion("a", tokens=(1000, 200))) as strong, answering(says("a")) as weak:
        done, _ = labelled(strong, weak, path, sampled("one", "two"))

    assert (Tokens(2000, 400), Tokens(14, 6)) == (done.strong, done.weak)
    assert Money.parse("0.0085") + Money(1 + 2) == total_cost(done, prices("2.25", "10"), prices("0.10", "0.40"))
    assert total_cost(done, None, prices()) is None


LIMITS = Limits(minimum=500, ratio=0.5)
REPORT = "".join(f"Sentence {number} of the report says little. " for number in range(40))


def conversation(number: int = 0, result: str = REPORT) -> dict[str, Any]:
    """A request with the result of a tool, as a client sends it."""
    call = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    return {
        "messages": [
            {"role": "user", "content": f"What says report {number}?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": result},
        ]
    }


def kept(*requests: dict[str, Any], limits: Limits = LIMITS) -> Sequence[Sample]:
    """What a router writes of requests whose compression is to be judged, as it is to be asked."""
    read = parse_samples(json.dumps(sample_of(request, {}, limits)) for request in requests)
    return shortened_samples(read.found, limits)


def test_of_a_compression_the_trusted_tier_is_asked_each_long_request_as_it_came_and_shortened(path: Path):
    labels = LabelsFile.open(path, date(2000, 1, 1), LIMITS.settings)
    with answering(says("little")) as trusted:
        endpoint = Endpoint(trusted.url, "chat/large", connections=2, attempts=1)
        labelling = Labelling(strong=endpoint, weak=endpoint, grader=EXACT, max_tokens=100, concurrency=1, per_day=100)
        done = labelling.run(kept(conversation(), conversation(1, "Brief.")), labels, DAY, lambda _: None)
        whole, shortened = (body["messages"] for body in trusted.asked)

    assert 1 == done.made
    assert conversation()["messages"][2]["content"] == whole[2]["content"]
    assert LEFT_OUT in shortened[2]["content"]
    assert (whole[:2], "c1") == (shortened[:2], shortened[2]["tool_call_id"])
    assert [("What says report 0?", True, True)] == [
        (each.prompt, each.strong, each.weak) for each in parse_labels(path.read_text())
    ]


def test_an_answer_that_compression_changes_is_a_loss(path: Path):
    def reads(body: dict[str, Any]) -> Reply:
        return completion("17" if "Sentence 17 " in body["messages"][2]["content"] else "not told")

    labels = LabelsFile.open(path, date(2000, 1, 1), LIMITS.settings)
    with answering(reads) as trusted:
        endpoint = Endpoint(trusted.url, "chat/large", connections=2, attempts=1)
        harsh = Limits(minimum=500, ratio=0.1)
        Labelling(strong=endpoint, weak=endpoint, grader=EXACT, max_tokens=9, concurrency=1, per_day=9).run(
            kept(conversation(), limits=harsh), labels, DAY, lambda _: None
        )
    evidence = CompressionEvidence.of(parse_labels(path.read_text()), harsh.settings)

    assert evidence is not None
    assert Pairs(judged=1, lost=1) == evidence.pairs


def test_labels_of_one_compression_are_not_those_of_another():
    [one], [other] = kept(conversation()), kept(conversation(), limits=Limits(minimum=500, ratio=0.4))

    assert one.prompt.key == other.prompt.key
    assert one.key != other.key


def test_a_completion_is_not_shortened():
    assert () == kept({"prompt": REPORT})


def written(folder: Path, day: str, lines: Iterable[str]) -> None:
    (folder / day).mkdir(parents=True)
    for number, line in enumerate(lines):
        (folder / day / f"{number:06d}.jsonl").write_text(line + "\n")


def test_samples_are_read_day_by_day(tmp_path: Path):
    chat = json.dumps({"messages": [{"role": "user", "content": "Hi"}], "metadata": {"feature": "search"}})
    written(tmp_path, "2026-11-28", [chat, '{"prompt": "Once"}'])
    written(tmp_path, "2026-11-29", [chat, "not json", '{"messages": []}', "[]", json.dumps({"prompt": "x" * 200_000})])
    written(tmp_path, "labels", ["task,prompt"])
    samples = read_samples(tmp_path)

    assert [("search", "Hi"), ("", "Once")] == [(each.feature, each.text) for each in samples.found]
    assert 4 == samples.unreadable


def test_what_the_router_writes_is_what_is_read(tmp_path: Path):
    sampling = Sampling(share=1, per_day=10, folder=str(tmp_path), retention_seconds=86_400)
    request = {"model": "chat", "messages": [{"role": "user", "content": "I am a@b.example"}], "max_tokens": 9}
    write(sampling, sample_of(request, {"feature": "search", "tier": "small"}), datetime(2026, 11, 29, tzinfo=UTC))
    [sample] = read_samples(tmp_path).found

    assert ("search", "I am [email]", 9) == (sample.feature, sample.text, sample.prompt.max_tokens)


def test_a_folder_that_is_not_there_yet_is_empty(tmp_path: Path):
    assert Samples(found=(), unreadable=0) == read_samples(tmp_path / "later")


def test_a_label_has_the_text_that_is_scored():
    talk = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": "What?"},
        {"role": "user", "content": "The parcel."},
    ]
    [sample] = parse_samples([json.dumps({"messages": talk})]).found

    assert "The parcel." == sample.text
    assert {"messages": talk} == sample.prompt.request
