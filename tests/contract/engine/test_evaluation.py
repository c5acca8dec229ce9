"""The evaluation Job's own command against a real vLLM, the baseline asked twice.

Covered: chats and texts, temperature 0 alone and in batches, refusals, discordance, score, tokens, the result that the
operator reads.
Not covered: a canary that differs, which would be another engine (bfloat16 against float32 was run by hand, see
docs/decisions/0013-quality-gate.md); accelerators, whose batches change more answers than a CPU's; the pod.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from builders import policy
from costpolicy.api.operation import Prompts
from costpolicy.manifests.evaluation_job import CONCURRENCY, Contest, evaluation_job
from costpolicy.quality.adequacy import Adequate, judge_evaluation
from costpolicy.quality.result import EvaluationResult, parse_result
from costpolicy.units import parse_ratio
from engine.server import SERVED_NAME, Engine

CHATS, TEXTS = 100, 20
TOKENS = 16
LONGER_THAN_THE_CONTEXT = "word " * 3000

Run = Callable[..., EvaluationResult]


@pytest.fixture(scope="module")
def prompts(running_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the engine itself answers, each prompt asked alone: then anything else is a loss."""
    requests = [
        *({"messages": [{"role": "user", "content": f"question {number}"}]} for number in range(CHATS)),
        *({"prompt": f"story {number}:"} for number in range(TEXTS)),
    ]
    with httpx.Client(base_url=running_engine.url, timeout=60, trust_env=False) as client:
        lines = []
        for request in requests:
            path = "/v1/chat/completions" if "messages" in request else "/v1/completions"
            body = {"model": SERVED_NAME, "temperature": 0, "max_tokens": TOKENS, **request}
            [choice] = client.post(path, json=body).raise_for_status().json()["choices"]
            text = choice["message"]["content"] if "message" in choice else choice["text"]
            lines.append(json.dumps({**request, "answer": text, "maxTokens": TOKENS}))
    file = tmp_path_factory.mktemp("evaluation") / "prompts.jsonl"
    file.write_text("\n".join(lines))
    return file


@pytest.fixture
def run(running_engine: Engine, tmp_path: Path) -> Run:
    """Runs the Job's command in a process of its own, with this machine's addresses and paths for the pod's."""

    def start(prompts: Path, **changes: str) -> EvaluationResult:
        spec = policy(model={"name": SERVED_NAME})
        source = Prompts.model_validate({"configMapRef": {"name": "questions"}})
        job = evaluation_job(spec, source, Contest(baseline="a" * 10, canary="b" * 10), "operator:1")
        [container] = job["spec"]["template"]["spec"]["containers"]
        given = dict(argument.split("=", 1) for argument in container["args"])
        message = tmp_path / "termination-log"
        here = {
            "--baseline": running_engine.url,
            "--canary": running_engine.url,
            "--prompts": str(prompts),
            "--result": str(message),
        }
        arguments = [f"{name}={value}" for name, value in {**given, **here, **changes}.items()]
        command = [sys.executable, *container["command"][1:], *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        return parse_result(message.read_text())

    return start


@pytest.mark.parametrize("concurrency", [1, CONCURRENCY, 16])
def test_the_baseline_is_enough_like_itself_to_judge_others(run: Run, prompts: Path, concurrency: int):
    found = run(prompts, **{"--concurrency": str(concurrency)})

    assert CHATS + TEXTS == found.counts.pairs
    assert (CHATS + TEXTS) * TOKENS >= found.baseline.output_tokens > 0
    assert found.baseline.prompt_tokens == found.canary.prompt_tokens > 0
    # A CPU in float32: batches seldom change an answer. On accelerators more may differ.
    assert found.counts.baseline_score >= 0.95
    assert isinstance(judge_evaluation(found.counts, parse_ratio("20%")), Adequate)


def test_a_prompt_longer_than_the_context_is_refused_and_counts_as_wrong(run: Run, tmp_path: Path):
    file = tmp_path / "long.jsonl"
    file.write_text(json.dumps({"prompt": LONGER_THAN_THE_CONTEXT, "answer": "x"}))
    found = run(file)

    assert (1, 1, 1) == (found.baseline.refused, found.canary.refused, found.both_wrong)
