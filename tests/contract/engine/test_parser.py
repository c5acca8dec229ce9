"""The engine catalogue against vLLM 0.32's own argument parser, live and as it was recorded.

Covered: every flag with its spellings, choices and default; that what the catalogue passes the parser accepts, and that
what the catalogue calls unknown the parser refuses. Not covered: other releases' parsers (the catalogue was read from
them, see tests/engine/catalogue.py), and values that only the engine's configuration rejects, after parsing.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from costpolicy.catalog.engines import engine, refused_arguments
from costpolicy.catalog.flags import Flag
from engine.parser import Accepted, ArgumentParser, Refused

RECORDED = Path(__file__).parents[2] / "data" / "vllm" / "serve-args-0.32.json"
NOT_FLAGS = {"--help", "-h", "model_tag"}


def compared(rows: list[dict[str, Any]]) -> dict[tuple[str, ...], tuple[bool, Any, Any]]:
    """What is compared of a parser's rows: spellings -> takes a value, choices, default."""
    return {
        tuple(sorted(row["flags"])): (row["nargs"] != 0, choices(row["choices"]), scalar(row["default"]))
        for row in rows
        if not NOT_FLAGS & set(row["flags"])
    }


def choices(values: list[Any] | None) -> list[str]:
    return sorted(str(value) for value in values or () if value is not None and value != "None")


def scalar(default: object) -> object:
    known = isinstance(default, (bool, int, float, str)) and default not in ("", "==SUPPRESS==")
    return default if known else None


def catalogued() -> dict[tuple[str, ...], tuple[bool, Any, Any]]:
    def facts(flag: Flag) -> tuple[bool, Any, Any]:
        return (flag.has_value, sorted(flag.choices), flag.default)

    return {tuple(sorted(flag.spellings())): facts(flag) for flag in engine("0.32").flags}


def test_the_catalogue_is_what_the_parser_of_0_32_says(parser: ArgumentParser):
    assert compared(parser.describe()) == catalogued()


def test_the_catalogue_is_what_was_recorded_of_0_32():
    recorded = compared(json.loads(RECORDED.read_text()))
    assert recorded == {flags: facts for flags, facts in catalogued().items() if flags != ("--model",)}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--max-num-seqs=64", "--max-num-batched-tokens=2048", "--max-model-len=4096"],
        ["--max_num_seqs", "64", "-tp", "2", "-tp=4"],
        ["--quantization=fp8_per_tensor", "--kv-cache-dtype=fp8", "--gpu-memory-utilization=0.9"],
        ["--no-enable-prefix-caching", "--enforce-eager", "-O3"],
        ['--speculative-config={"method":"ngram","num_speculative_tokens":3}'],
        ["--speculative-config.method=ngram", "--speculative-config.num_speculative_tokens", "3"],
        ['--custom-histogram-buckets={"time_to_first_token":[0.1,0.8]}', "--shutdown-timeout=30"],
        ["--disable-access-log-for-endpoints=/health,/metrics,/ping"],
    ],
)
def test_the_parser_accepts_what_the_catalogue_passes(parser: ArgumentParser, arguments):
    answer = parser.parse(["model", *arguments])
    assert isinstance(answer, Accepted), answer
    twice = [name for name, reason in refused_arguments(engine("0.32"), arguments, ()) if "twice" not in reason]
    assert [] == twice


@pytest.mark.parametrize(
    "argument",
    [
        "--swap-space=4",
        "--calculate-kv-scales",
        "--disable-log-requests",
        "--num-scheduler-steps=8",
        "--max-num-partial-prefills=2",
        "--guided-decoding-backend=auto",
        "--cuda-graph-sizes=8",
        "--max-seq-len-to-capture=8192",
        "--rope-scaling={}",
        "--speculative-model=x",
        "--device=cuda",
        "--kv-cache-dtype=fp7",
        "--block-size=many",
        "--enforce-eager=true",
        "-tp2",
        "--monokernel",
    ],
)
def test_the_parser_refuses_what_the_catalogue_refuses(parser: ArgumentParser, argument):
    assert 1 == len(refused_arguments(engine("0.32"), [argument], ()))
    assert isinstance(parser.parse(["model", argument]), Refused)


def test_the_parser_takes_abbreviations_which_is_why_the_catalogue_refuses_them(parser: ArgumentParser):
    answer = parser.parse(["model", "--max-num-se=5"])
    assert isinstance(answer, Accepted)
    assert 5 == answer.values["max_num_seqs"]
    assert 1 == len(refused_arguments(engine("0.32"), ["--max-num-se=5"], ()))


def test_an_argument_given_twice_loses_the_first_which_is_why_the_catalogue_refuses_it(parser: ArgumentParser):
    answer = parser.parse(["model", "--seed=1", "--seed=2"])
    assert isinstance(answer, Accepted)
    assert 2 == answer.values["seed"]
    assert 1 == len(refused_arguments(engine("0.32"), ["--seed=1", "--seed=2"], ()))
