"""What the words after ``vllm serve`` mean: every flag of the real parser in each of its spellings, and values from elsewhere.

Not covered: abbreviated flags, which mean another flag in another release and are called strange.
"""

import json
from pathlib import Path

import pytest

from costpolicy.advice.command import engine_commands
from costpolicy.advice.serving import ServeArguments, serve_arguments, size_in
from costpolicy.catalog.engines import engine
from costpolicy.observe.source import Missing
from foreign import container

REAL = json.loads((Path(__file__).parents[2] / "data" / "vllm" / "serve-args-0.32.json").read_text())
VALUED = [one for one in REAL if one["nargs"] is None and one["flags"][0].startswith("-")]
SWITCHES = [one for one in REAL if one["action"] in ("_StoreTrueAction", "BooleanOptionalAction")]


def read(*words: str, release: str = "0.32.0", **fields: object) -> ServeArguments:
    [command] = engine_commands({"containers": [container(list(words), command=["vllm", "serve"]) | fields]})
    return serve_arguments(command, engine(release).flags)


def test_the_real_argument_list_is_not_empty():
    assert 200 < len(VALUED)
    assert 30 < len(SWITCHES)


@pytest.mark.parametrize("one", VALUED, ids=lambda one: one["flags"][0])
def test_a_value_is_read_in_each_spelling_of_vllm_s_own_parser(one: dict):
    named = {engine("0.32.0").flag(flag).name for flag in one["flags"]}
    [name] = named

    for flag in one["flags"]:
        underscored = flag.replace("-", "_").replace("__", "--", 1) if flag.startswith("--") else flag
        for words in ((flag, "7"), (f"{flag}=7",), (underscored, "7"), (f"{underscored}=7",)):
            assert "7" == read("m", *words).values[name], words
            assert () == read("m", *words).strange


@pytest.mark.parametrize("one", SWITCHES, ids=lambda one: one["flags"][0])
def test_a_switch_is_read_on_and_off(one: dict):
    for flag in one["flags"]:
        found = engine("0.32.0").flag(flag)
        negated = flag.startswith("--no-") or (flag.startswith("--disable-") and not found.name.startswith("--disable"))

        assert (not negated) == read("m", flag).values[found.name], flag


def test_the_model_is_the_first_word_or_an_option_or_what_the_release_serves_by_itself():
    assert "a/b" == read("a/b", "--port", "80").model
    assert "a/b" == read("--port", "80", "a/b").model
    assert "a/b" == read("--enforce-eager", "a/b").model
    assert "a/b" == read("--model=a/b").model
    assert "Qwen/Qwen3-0.6B" == read("--port=80").model


def test_of_a_flag_given_twice_the_last_counts():
    assert 2 == read("m", "--max-num-seqs=1", "--max-num-seqs", "2").whole("--max-num-seqs")
    assert read("m", "--enable-prefix-caching", "--no-enable-prefix-caching").switch("--enable-prefix-caching") is False


def test_prefix_caching_is_switched_off_in_the_words_of_each_release():
    assert read("m", "--no-enable-prefix-caching").switch("--enable-prefix-caching") is False
    off = read("m", "--disable-prefix-caching", release="0.33.0")
    assert off.switch("--enable-prefix-caching") is False


def test_keys_of_json_values_are_put_together():
    given = read("m", '-cc={"mode": 3}', "-cc.cudagraph_mode", "NONE", "--compilation-config.pass_config.a=true")

    assert {"mode": 3, "cudagraph_mode": "NONE", "pass_config": {"a": True}} == given.fields("--compilation-config")


@pytest.mark.parametrize(
    ("text", "size"), [("8192", 8192), ("8k", 8000), ("8K", 8192), ("1.5k", 1500), ("2M", 2 << 20), ("auto", None)]
)
def test_sizes_are_read_as_vllm_does(text: str, size: int | None):
    assert size == size_in(text)


def test_what_the_release_lacks_is_called_strange_and_hides_nothing():
    given = read("m", "--no-such-flag", "5", "--max-num-seqs=7", "--gpu-memory-util=0.5")

    assert ("--no-such-flag", "--gpu-memory-util=0.5") == given.strange
    assert 7 == given.whole("--max-num-seqs")


def test_a_value_from_a_secret_is_missing_and_says_from_where():
    env = [{"name": "SIZE", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]
    given = read("$(SIZE)", "--max-num-seqs", "$(SIZE)", "--port=80", env=env)

    for value in (given.model, given.whole("--max-num-seqs")):
        assert isinstance(value, Missing)
        assert "SIZE" in value.message
    assert 80 == given.whole("--port")
    assert given.whole("--max-model-len") is None


@pytest.mark.parametrize("words", [("--config", "/etc/vllm.yaml"), ("$(MORE)",), ("--enforce-eager", "$(MORE)")])
def test_what_may_be_in_a_file_or_a_variable_is_missing_and_not_the_default(words: tuple[str, ...]):
    given = read("m", "--max-num-seqs=7", *words)

    assert "m" == given.model
    assert 7 == given.whole("--max-num-seqs")
    assert isinstance(given.whole("--tensor-parallel-size"), Missing)
    assert isinstance(given.switch("--enable-prefix-caching"), Missing)


def test_values_that_are_no_numbers_are_missing():
    given = read("m", "--max-num-seqs=many", "--gpu-memory-utilization=most", "--speculative-config={")

    assert isinstance(given.whole("--max-num-seqs"), Missing)
    assert isinstance(given.share("--gpu-memory-utilization"), Missing)
    assert isinstance(given.fields("--speculative-config"), Missing)
    assert read("m", "--max-model-len=auto").whole("--max-model-len") is None
