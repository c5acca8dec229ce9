"""The evaluator over real HTTP: who is asked what, how often, in which order, and what is made of it.

Covered: both kinds of request, retries, refusals, failures, concurrency, pauses, records, the judging model.
Not covered: a real engine (tests/contract/engine/test_evaluation.py).
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from answering import Answering, Reply, answering, completion
from costpolicy.api.types import JudgeType
from costpolicy.evaluator.endpoint import Endpoint, EndpointError
from costpolicy.evaluator.evaluation import Evaluation
from costpolicy.evaluator.graders import Grader, model_grader, text_grader
from costpolicy.evaluator.pause import pausing
from costpolicy.evaluator.record import Record, RecordError
from costpolicy.quality.prompts import parse_prompts
from costpolicy.quality.result import EvaluationResult


def silent(_: str) -> None:
    """Progress that nobody reads."""


def questions(count: int) -> str:
    documents = [
        {"messages": [{"role": "user", "content": f"{number} + 1?"}], "answer": str(number + 1)}
        for number in range(count)
    ]
    return "\n".join(map(json.dumps, documents))


def adds(body: dict[str, Any]) -> Reply:
    """A model that can add."""
    return completion(str(int(body["messages"][-1]["content"].split()[0]) + 1))


def adds_small_numbers(body: dict[str, Any]) -> Reply:
    """A model that can add below 10."""
    return completion(
        "9"
        if int(body["messages"][-1]["content"].split()[0]) >= 10
        else adds(body)[1]["choices"][0]["message"]["content"]
    )


def evaluation(baseline: Answering, canary: Answering, prompts: str, **changes: Any) -> Evaluation:
    settings: dict[str, Any] = {
        "prompts": parse_prompts(prompts),
        "judge": JudgeType.EXACT,
        "grader": text_grader(JudgeType.EXACT),
        "baseline": Endpoint(baseline.url, "m", connections=8, attempts=2),
        "canary": Endpoint(canary.url, "m", connections=8, attempts=2),
        "max_tokens": 100,
        "concurrency": 1,
        "hold": pausing(None),
    }
    return Evaluation(**{**settings, **changes})


def result(answer: Callable[[dict[str, Any]], Reply], prompts: str, **changes: Any) -> EvaluationResult:
    """The result of a canary that answers like this, against one that adds."""
    with answering(adds) as baseline, answering(answer) as canary:
        return evaluation(baseline, canary, prompts, **changes).run(Record(), silent)


def test_lost_answers_are_counted_with_the_tokens_that_they_cost():
    found = result(adds_small_numbers, questions(20), concurrency=4)

    assert (10, 10, 0, 0) == (found.both_right, found.lost, found.gained, found.both_wrong)
    assert (10, 20 * 7, 20 * 3) == (found.identical, found.baseline.prompt_tokens, found.canary.output_tokens)


def test_every_prompt_is_asked_once_of_each_at_temperature_0_in_an_order_of_its_own():
    with answering(adds) as baseline, answering(adds) as canary:
        evaluation(baseline, canary, questions(30)).run(Record(), silent)
    asked = [body["messages"][0]["content"] for body in baseline.asked]

    assert sorted(asked) == sorted(f"{number} + 1?" for number in range(30))
    assert asked != [f"{number} + 1?" for number in range(30)]
    assert len(canary.asked) == 30
    assert {(0, 0, "m", 100)} == {
        (body["temperature"], body["seed"], body["model"], body["max_tokens"]) for body in canary.asked
    }


def test_each_of_the_two_comes_first_about_as_often():
    """One server as both: it sees the pairs' order by the model's name."""
    with answering(adds) as both:
        one = evaluation(both, both, questions(60))
        named = replace(one, baseline=Endpoint(both.url, "baseline"), canary=Endpoint(both.url, "canary"))
        named.run(Record(), silent)
    first = [body["model"] for body in both.asked[::2]]

    assert 15 < first.count("baseline") < 45


def test_no_more_prompts_are_in_flight_than_allowed():
    with answering(adds) as baseline, answering(adds) as canary:
        evaluation(baseline, canary, questions(40), concurrency=3).run(Record(), silent)

    assert 1 <= baseline.most_at_a_time <= 3


def test_a_prompt_is_continued_and_a_chat_is_answered():
    def continues(body: dict[str, Any]) -> Reply:
        if body["path"] == "/v1/completions":
            return 200, {"choices": [{"text": " 42", "finish_reason": "length"}], "usage": None}
        return completion("42")

    prompts = "\n".join(
        json.dumps(one)
        for one in (
            {"prompt": "6 x 7 =", "answer": "42", "maxTokens": 2},
            {"messages": [{"role": "user", "content": "6 x 7?"}], "answer": "42"},
        )
    )
    with answering(continues) as server:
        found = evaluation(server, server, prompts).run(Record(), silent)

    assert (2, 1) == (found.both_right, found.canary.truncated)
    assert {("/v1/completions", 2), ("/v1/chat/completions", 100)} == {
        (body["path"], body["max_tokens"]) for body in server.asked
    }


def test_a_server_that_is_busy_once_is_asked_again():
    busy = iter([(503, {})])
    found = result(lambda body: next(busy, None) or adds(body), questions(3))

    assert 3 == found.both_right


def test_a_prompt_that_the_canary_refuses_is_lost():
    found = result(lambda body: (400, {"error": "longer than the context"}), questions(4))

    assert (4, 4, 0) == (found.lost, found.canary.refused, found.identical)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((503, {"error": "down"}), "answered 503"),
        ((404, {"error": "no such model"}), "answered 404.*check the address, the name of the model"),
        ((200, {"choices": []}), "no completion"),
        ((200, b"<html>"), "no completion"),
    ],
)
def test_without_an_answer_nothing_is_concluded(reply: Reply, said: str):
    with pytest.raises(EndpointError, match=said):
        result(lambda body: reply, questions(5))


def test_a_server_that_is_not_there_is_named():
    with answering(adds) as gone:
        endpoint = Endpoint(gone.url, "m", attempts=1)
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1:\d+/v1/completions did not answer"):
        endpoint.ask({"prompt": "x"}, 1)


def test_the_model_is_the_first_that_the_server_lists_unless_named():
    with answering(adds) as server:
        assert ("listed", "named") == (Endpoint(server.url).model, Endpoint(server.url, "named").model)


def test_an_address_may_end_in_v1_or_not_and_must_be_one():
    assert {"http://a/v1"} == {Endpoint(url).url for url in ("http://a", "http://a/", "http://a/v1", "http://a/v1/")}
    with pytest.raises(ValueError, match="not the address of a server"):
        Endpoint("chat:8000")


def test_an_answer_of_reasoning_alone_is_empty():
    found = result(lambda body: completion(None), questions(2))

    assert 2 == found.lost


def test_nothing_is_asked_while_the_pause_file_exists(tmp_path: Path):
    pause = tmp_path / "pause"
    pause.touch()
    seen: list[int] = []
    with answering(adds) as server:

        def wait() -> None:
            seen.append(len(server.asked))
            if len(seen) == 3:
                pause.unlink()

        found = evaluation(server, server, questions(2), hold=pausing(pause, wait)).run(Record(), silent)

    assert [0, 0, 0] == seen
    assert 2 == found.both_right


def grades(body: dict[str, Any]) -> Reply:
    """A judging model that likes what it is asked to, and knows no answer with a 7."""
    assert body["max_tokens"] == 1024
    answer = body["messages"][1]["content"].split("Answer to grade:\n")[1]
    return completion("Hm." if "7" in answer else "yes")


def test_a_model_judges_each_answer_once_and_what_it_cannot_say_counts_as_wrong():
    with answering(grades) as judge, answering(adds) as baseline, answering(adds_small_numbers) as canary:
        grader: Grader = model_grader(Endpoint(judge.url, "judge", api_key="secret"))
        found = evaluation(baseline, canary, questions(12), judge=JudgeType.MODEL, grader=grader).run(Record(), silent)

    # 1 to 10 are the same from both, of which 7 is graded by nobody; 11 and 12 differ.
    assert (11, 1, 2) == (found.both_right, found.both_wrong, found.ungraded)
    assert 10 + 2 * 2 == len(judge.asked)
    assert {"Bearer secret"} == {body["authorization"] for body in judge.asked}


def test_an_interrupted_evaluation_goes_on_where_it_was(tmp_path: Path):
    path = tmp_path / "record.jsonl"
    left = iter(range(6))

    def breaks_down(body: dict[str, Any]) -> Reply:
        return adds(body) if next(left, None) is not None else (503, {})

    with answering(adds) as baseline, answering(breaks_down) as canary:
        first = evaluation(baseline, canary, questions(20))
        with pytest.raises(EndpointError):
            first.run(Record.open(path, first.subject), silent)
        kept = Record.open(path, first.subject).pairs
        path.write_text(path.read_text() + '{"key":"cut off by a ki')
        canary.answer, canary.asked = adds, []
        found = first.run(Record.open(path, first.subject), silent)

    assert 6 == len(kept)
    assert 14 == len(canary.asked)
    assert 20 == found.both_right
    assert 20 == len(Record.open(path, first.subject).pairs)


def test_a_record_of_something_else_is_refused(tmp_path: Path):
    path = tmp_path / "record.jsonl"
    with answering(adds) as server:
        one, other = evaluation(server, server, questions(3)), evaluation(server, server, questions(4))
        Record.open(path, one.subject)
        with pytest.raises(RecordError, match="other prompts, addresses or settings"):
            Record.open(path, other.subject)
        path.write_text("no record\n")
        with pytest.raises(RecordError, match="not a record of an evaluation"):
            Record.open(path, one.subject)


def test_progress_is_told_in_a_few_lines():
    told: list[str] = []
    with answering(adds) as server:
        evaluation(server, server, questions(100)).run(Record(), told.append)

    assert 20 == len(told)
    assert "100 of 100 prompts: 0 lost, 0 gained" == told[-1]
