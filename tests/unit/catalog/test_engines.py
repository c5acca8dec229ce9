"""The engine catalogue: versions, defaults by accelerator, formats, flags by release, and files that are broken.

Covered here: what the packaged data says for releases whose values are known from vLLM's source, and the loaders' errors.
Not covered: that 0.32's own parser agrees (tests/contract/engine).
"""

import pytest

from costpolicy.api.types import WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engine_data import read_engines, read_flags
from costpolicy.catalog.engines import EngineError, engine, newest_engine, supported_engines
from costpolicy.catalog.sources import CatalogError, read_packaged


@pytest.mark.parametrize(
    ("written", "version"),
    [("0.32", "0.32.0"), ("0.32.0", "0.32.0"), ("v0.32.0", "0.32.0"), ("0.11", "0.11.2"), ("v0.11.0", "0.11.0")],
)
def test_a_version_may_be_written_as_people_write_it(written, version):
    assert version == engine(written).version


@pytest.mark.parametrize("written", ["", "0.10.2", "0.34", "1.0", "latest", "0.32.0-cu129", "0.32.x", "nightly", "0.3"])
def test_an_unsupported_version_is_refused_with_the_supported_range(written):
    with pytest.raises(EngineError, match=r"0\.11 to 0\.33"):
        engine(written)


def test_every_minor_release_from_0_11_to_0_33_is_there():
    assert [(0, minor) for minor in range(11, 34)] == [release.minor for release in supported_engines()]
    assert "0.33.0" == newest_engine().version


@pytest.mark.parametrize(
    ("version", "accelerator", "expected"),
    [
        ("0.11", "nvidia-h100-80gb", (1024, 8192, 0.9)),
        ("0.19", "nvidia-l40s", (256, 2048, 0.9)),
        ("0.20", "nvidia-h100-80gb", (1024, 8192, 0.92)),
        ("0.32", "nvidia-a100-80gb", (256, 2048, 0.92)),  # excepted by its name, whatever its memory
        ("0.32", "nvidia-t4", (256, 2048, 0.92)),
        ("0.32", "nvidia-h200", (1024, 8192, 0.92)),
        ("0.27", "nvidia-b200", (1024, 8192, 0.92)),
        ("0.28", "nvidia-b200", (1024, 16384, 0.92)),
        ("0.33", "amd-mi300x", (1024, 16384, 0.92)),
    ],
)
def test_defaults_follow_release_memory_and_name(version, accelerator, expected):
    defaults = engine(version).defaults(accelerators()[accelerator], 1)
    assert expected == (defaults.max_num_seqs, defaults.max_num_batched_tokens, defaults.gpu_memory_utilization)
    assert defaults.prefix_caching


@pytest.mark.parametrize(("tensor", "data"), [(0, 1), (1, 0)])
def test_ranks_below_one_are_an_error(tensor, data):
    with pytest.raises(EngineError, match="does not exist"):
        newest_engine().defaults(accelerators()["nvidia-l4"], tensor, data)


@pytest.mark.parametrize(("version", "servers"), [("0.14", 1), ("0.15", 8), ("0.33", 8)])
def test_from_0_15_on_each_rank_brings_an_api_server(version, servers):
    assert servers == engine(version).defaults(accelerators()["nvidia-h200"], 1, 8).api_servers
    assert 1 == engine(version).defaults(accelerators()["nvidia-h200"], 8).api_servers


@pytest.mark.parametrize(("version", "offered"), [("0.11", False), ("0.16", False), ("0.17", True), ("0.33", True)])
def test_experts_are_shared_out_where_a_prefill_is_not_computed_by_every_rank(version, offered):
    assert offered is engine(version).shares_out_experts


@pytest.mark.parametrize(("version", "expected"), [("0.11", "fp8"), ("0.19", "fp8"), ("0.20", "fp8_per_tensor")])
def test_fp8_while_loading_is_asked_for_by_the_releases_own_name(version, expected):
    chosen = engine(version)
    assert expected == chosen.quantization_argument(WeightFormat.FP8, online=True)
    assert expected in chosen.quantization_methods


@pytest.mark.parametrize("weights", list(WeightFormat))
def test_a_checkpoint_says_itself_what_it_is(weights):
    assert newest_engine().quantization_argument(weights, online=False) is None


def test_what_needs_a_checkpoint_cannot_be_made_while_loading():
    with pytest.raises(EngineError, match="name a checkpoint in awq"):
        newest_engine().quantization_argument(WeightFormat.AWQ, online=True)


@pytest.mark.parametrize(
    ("accelerator", "head_size", "reason"),
    [
        ("nvidia-h100-80gb", 128, None),
        ("nvidia-l4", 96, None),
        ("nvidia-a100-80gb", 128, None),
        ("nvidia-a100-80gb", 96, "FlashInfer"),
        ("nvidia-t4", 128, "compute capability"),
    ],
)
def test_an_fp8_kv_cache_depends_on_accelerator_and_head_size(accelerator, head_size, reason):
    answer = newest_engine().supports_kv_fp8(accelerators()[accelerator], head_size)
    assert (reason is None) == (answer is None)
    assert answer is None or reason in answer


@pytest.mark.parametrize(
    ("flag", "first", "last"),
    [
        ("--max-num-seqs", "0.11", "0.33"),
        ("--swap-space", "0.11", "0.17"),
        ("--task", "0.11", "0.12"),
        ("--guided-decoding-backend", "0.11", "0.11"),
        ("--shutdown-timeout", "0.18", "0.33"),
        ("--custom-histogram-buckets", "0.32", "0.33"),
        ("--disable-access-log-for-endpoints", "0.16", "0.33"),
    ],
)
def test_a_flag_is_known_exactly_in_the_releases_that_have_it(flag, first, last):
    having = [f"{release.minor[0]}.{release.minor[1]}" for release in supported_engines() if release.flag(flag)]
    assert (first, last) == (having[0], having[-1])
    assert having == [f"0.{minor}" for minor in range(int(first[2:]), int(last[2:]) + 1)]


@pytest.mark.parametrize(
    "flag", ["--calculate-kv-scales", "--disable-log-requests", "--num-scheduler-steps", "--device"]
)
def test_a_removed_flag_is_not_known_to_0_32(flag):
    assert engine("0.32").flag(flag) is None


def test_kv_cache_types_grow_with_the_releases():
    assert "fp8" in engine("0.11").kv_cache_dtypes
    assert "nvfp4" not in engine("0.11").kv_cache_dtypes
    assert "nvfp4" in engine("0.32").kv_cache_dtypes
    assert {"octave_k3v4"} <= newest_engine().kv_cache_dtypes - engine("0.32").kv_cache_dtypes


def test_a_flag_is_found_by_alias_and_negation():
    release = engine("0.32")
    assert "--tensor-parallel-size" == release.flag("-tp").name
    assert "--enable-prefix-caching" == release.flag("--no-enable-prefix-caching").name
    assert "--max-num-seqs" == release.flag("--max_num_seqs").name


FLAGS = """{"about": "a", "source": "s", "date": "2026-11-22", "quantizationMethods": [], "kvCacheDtypes": [], "flags": [
 {"name": "--one", "in": "0.11-0.20", "takes": "int"},
 {"name": "--one", "in": "0.20-0.33", "takes": "int"},
 {"name": "--two", "in": "0.11", "takes": "number"}
]}"""


def test_a_flag_of_unknown_type_is_named_with_its_line():
    with pytest.raises(CatalogError, match=r"^engine_flags\.json:4: flags\.2\.takes: "):
        read_flags(FLAGS)


def test_two_records_of_one_flag_may_not_overlap():
    with pytest.raises(CatalogError, match=r"^engine_flags\.json:3: .*--one is here twice for one release"):
        read_flags(FLAGS.replace('"number"', '"int"'))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("in: 0.11-0.33, default: true", "in: 0.11-0.32, default: true", r"0\.33 must be covered exactly once"),
        ("maxNumSeqs: 1024, maxNumBatchedTokens: 8192", "maxNumSeqs: 0, maxNumBatchedTokens: 8192", "greater than 0"),
        ("memoryGibibytes: 0,", "memoryGibibytes: 1,", "the last tier must fit every accelerator"),
        ('- {version: "0.12", read: 0.12.0}\n', '- {version: "0.11", read: 0.11.2}\n', "once each, oldest first"),
        ("read: 0.33.0", "read: newest", "pattern"),
    ],
)
def test_a_broken_releases_file_is_refused_with_its_line(old, new, message):
    text = read_packaged("engines.yaml")
    assert old in text
    with pytest.raises(CatalogError, match=rf"^engines\.yaml:[0-9]+: .*{message}"):
        read_engines(text.replace(old, new))
