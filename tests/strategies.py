"""Hypothesis strategies for the nouns of the project."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from builders import IMAGE, policy
from costpolicy.api.policy import CostPolicy
from costpolicy.api.types import CapacityType, KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import supported_engines
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.planning.configuration import Configuration, Proposer

names = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
durations = st.builds("{}{}".format, st.integers(1, 9999), st.sampled_from(["ms", "s"]))
label_values = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)

_sources = st.one_of(
    st.builds(
        lambda repository, revision: {"huggingFace": {"repository": repository} | revision},
        st.sampled_from(["meta-llama/Llama-3.1-8B", "Qwen/Qwen3-32B"]),
        st.sampled_from([{}, {"revision": "main"}]),
    ),
    st.builds(lambda path: {"volume": {"claimName": "models", "path": path}}, label_values),
    st.just({"image": {"reference": "registry.example/weights:1"}}),
)
_pods = st.fixed_dictionaries(
    {},
    optional={
        "nodeSelector": st.dictionaries(label_values, label_values, max_size=2),
        "labels": st.dictionaries(label_values, label_values, max_size=2),
        "tolerations": st.lists(st.builds(lambda key: {"key": key, "operator": "Exists"}, label_values), max_size=2),
        "priorityClassName": label_values,
        "runtimeClassName": label_values,
    },
)
_proposers = st.builds(
    Proposer,
    method=st.sampled_from(["ngram", "eagle", "mtp"]),
    tokens=st.integers(1, 32),
    model=st.none() | st.just("example/head"),
)
_modes = st.sampled_from(["Auto", "Enabled", "Disabled"])


@st.composite
def policies(draw: st.DrawFn) -> CostPolicy:
    """Policies with a model, from every kind of source, with settings that reach the pods."""
    spec: dict[str, Any] = {
        "model": {"name": draw(label_values), "source": {"huggingFace": None, **draw(_sources)}},
        "objectives": {"ttft": {"p95": draw(durations)}},
        "techniques": {"prefixCaching": {"mode": draw(_modes)}},
        "priorityClassName": draw(st.none() | label_values),
        "deletionPolicy": draw(st.sampled_from(["Delete", "Orphan"])),
        "engine": {
            "env": [{"name": "SETTING", "value": draw(label_values)}] if draw(st.booleans()) else [],
            "pod": draw(_pods),
        },
    }
    if draw(st.booleans()):
        spec["objectives"]["interTokenLatency"] = {"p95": draw(durations)}
    if draw(st.booleans()):
        spec["objectives"]["availability"] = {"minReadyReplicas": draw(st.integers(1, 3))}
    return policy(draw(names), namespace=draw(names), **spec)


_limits = st.none() | st.integers(1, 2**20)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Configurations on every accelerator, whether or not they would fit."""
    accelerator = accelerators()[draw(st.sampled_from(sorted(accelerators())))]
    online = draw(st.booleans())
    return Configuration(
        accelerator=accelerator.name,
        capacity_type=draw(st.sampled_from(CapacityType)),
        tensor_parallel_size=draw(st.sampled_from([1, 2, 4, 8])),
        data_parallel_size=draw(st.sampled_from([1, 2, 8])),
        weights=WeightFormat.FP8 if online else draw(st.sampled_from(WeightFormat)),
        online_quantization=online,
        kv_cache_dtype=draw(st.sampled_from(KvCacheDtype)),
        max_num_seqs=draw(_limits),
        max_num_batched_tokens=draw(_limits),
        max_model_len=draw(_limits),
        gpu_memory_utilization=draw(st.none() | st.sampled_from([0.5, 0.9, 0.92])),
        proposer=draw(st.none() | _proposers),
        node_selector=draw(st.dictionaries(label_values, label_values, max_size=1)),
        resource_name=accelerator.resource_name,
    )


def variant_inputs() -> st.SearchStrategy[VariantInputs]:
    """Inputs of variants for every supported engine."""
    return st.builds(
        VariantInputs,
        policy=policies(),
        configuration=configurations(),
        engine=st.sampled_from(supported_engines()),
        image=st.sampled_from([IMAGE, "registry.example/vllm:1"]),
        startup_budget=st.integers(60, 7200).map(lambda seconds: timedelta(seconds=seconds)),
        product_labels=st.none(),
        scrape_annotations=st.booleans(),
    )
