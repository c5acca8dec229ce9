"""A user's own engine arguments: which are refused, under which name and why.

Covered: every way in which vLLM's parser lets an argument be written. Not covered: that its real parser agrees
(tests/contract/engine).
"""

import pytest

from costpolicy.catalog.engines import engine, refused_arguments

OWNED = frozenset({"--max-num-seqs", "--tensor-parallel-size", "--enable-prefix-caching", "--speculative-config"})


def refused(*args: str, version: str = "0.32") -> list[tuple[str, str]]:
    return [tuple(found) for found in refused_arguments(engine(version), args, OWNED)]


@pytest.mark.parametrize(
    "args",
    [
        ["--enforce-eager"],
        ["--block-size=16", "--seed=3"],
        ["--seed", "-1"],
        ["--max_logprobs=5"],
        ["--no-enable-chunked-prefill"],
        ["--hf-overrides.a.b=3", "--hf-overrides.a.c", "4"],
        ['--hf-overrides={"a": 1}'],
        ["-cc.mode=3"],
        ["-O3"],
        ["-O=2"],
        ["--kv-cache-dtype-skip-layers", "1", "2"],
        ["--middleware=a", "--middleware=b"],
        ["--kv-cache-memory-bytes=32M"],
    ],
)
def test_arguments_of_the_release_pass(args):
    assert [] == refused(*args)


@pytest.mark.parametrize(
    ("args", "flag"),
    [
        (["--max-num-seqs=5"], "--max-num-seqs"),
        (["--max-num-seqs", "5"], "--max-num-seqs"),
        (["--max_num_seqs=5"], "--max-num-seqs"),
        (["-tp", "2"], "--tensor-parallel-size"),
        (["-tp=2"], "--tensor-parallel-size"),
        (["--no-enable-prefix-caching"], "--enable-prefix-caching"),
        (["--speculative-config.method=ngram"], "--speculative-config"),
        (["--speculative_config.method", "ngram"], "--speculative-config"),
    ],
)
def test_what_the_plan_owns_is_refused_however_it_is_written_and_by_its_name(args, flag):
    [(name, reason)] = refused(*args)
    assert flag == name
    assert reason.startswith("is decided by the plan")


@pytest.mark.parametrize(
    ("args", "name", "reason"),
    [
        (["--max-num-se=5"], "--max-num-se=5", "is an abbreviation of --max-num-seqs"),
        (["--swap-space=4"], "--swap-space=4", "releases 0.11 to 0.17 have it"),
        (["--frobnicate", "x"], "--frobnicate", "would end with exit code 2"),
        (["-z"], "-z", "would end with exit code 2"),
        (["-tp2"], "-tp2", "would end with exit code 2"),
        (["extra"], "extra", "is not a flag"),
        (["--"], "--", "is not a flag"),
        (["--enforce-eager", "true"], "true", "is not a flag"),
        (["--enforce-eager=true"], "--enforce-eager", "takes no value"),
        (["--seed"], "--seed", "needs a value"),
        (["--seed", "--enforce-eager"], "--seed", "needs a value"),
        (["--block-size=x"], "--block-size", "takes a whole number"),
        (["--scheduling-policy=random"], "--scheduling-policy", "it takes fcfs, priority"),
        (["--block-size.x=3"], "--block-size", "takes no keys"),
    ],
)
def test_what_would_end_the_engine_is_refused_with_the_reason(args, name, reason):
    [(found, why)] = refused(*args)
    assert name == found
    assert reason in why


@pytest.mark.parametrize(
    "args",
    [
        ["--seed=1", "--seed", "2"],
        ["--enable-chunked-prefill", "--no-enable-chunked-prefill"],
        ["--hf-overrides.a=1", "--hf-overrides.a=2"],
        ["--hf-overrides={}", "--hf-overrides.a=2"],
        ["--hf-overrides.a=1", "--hf-overrides={}"],
        ["--block-size=1", "--block_size=2"],
    ],
)
def test_an_argument_given_twice_is_refused(args):
    [(_, reason)] = refused(*args)
    assert reason.startswith("is given twice")


def test_what_one_release_refuses_another_takes():
    assert [] == refused("--swap-space=4", version="0.17")
    assert [] == refused("-O3", version="0.11")
    assert [] != refused("--shutdown-timeout=4", version="0.11")


def test_every_refusal_is_listed_in_the_order_of_the_arguments():
    assert ["--a", "--max-num-seqs", "--b"] == [name for name, _ in refused("--a", "1", "--max-num-seqs=2", "--b")]
