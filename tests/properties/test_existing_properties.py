"""Advice reads what the operator itself renders: the configuration of a Deployment is the one that it was planned as.

Not covered: checkpoints of a policy (a repository that the catalogue lacks is a model that it lacks), and offerings with
node selectors of their own.
"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import node, offering
from costpolicy.advice.existing import Existing, Surroundings, existing_of
from costpolicy.api.policy import HuggingFaceSource, ModelSource
from costpolicy.api.types import CapacityType, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import Engine, supported_engines
from costpolicy.catalog.models import models
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.placement import SPOT_LABELS
from costpolicy.manifests.variant import render_variant
from costpolicy.planning.configuration import Configuration, Proposer
from foreign import pods
from strategies import configurations, variant_inputs

CAPACITY = st.sampled_from([CapacityType.ON_DEMAND, CapacityType.SPOT])


def weights_on(accelerator: str, *, online: bool) -> WeightFormat:
    """The format in which an accelerator serves an unquantized repository."""
    if online:
        return WeightFormat.FP8
    return WeightFormat.BF16 if "bf16" in accelerators()[accelerator].flops else WeightFormat.FP16


@st.composite
def rendered(draw: st.DrawFn) -> VariantInputs:
    """Variants that serve a repository of the catalogue as a plan may have it: no flag repeats a default."""
    inputs, engine = draw(variant_inputs()), draw(st.sampled_from(supported_engines()))
    policy = inputs.policy
    hub = HuggingFaceSource(repository=draw(st.sampled_from(["meta-llama/Llama-3.1-8B", "Qwen/Qwen3-32B"])))
    model = policy.spec.model.model_copy(update={"source": ModelSource(hugging_face=hub)})
    spec = policy.spec.model_copy(update={"model": model})
    configuration = replace(
        inputs.configuration,
        capacity_type=draw(CAPACITY),
        checkpoint=None,
        node_selector={},
        proposer=draw(_proposers()),
    )
    configuration = replace(
        configuration, weights=weights_on(configuration.accelerator, online=configuration.online_quantization)
    )
    return replace(
        inputs,
        policy=policy.model_copy(update={"spec": spec}),
        configuration=_without_defaults(configuration, engine, hub.repository),
        engine=engine,
        image=f"docker.io/vllm/vllm-openai:v{engine.version}",
    )


def _proposers() -> st.SearchStrategy[Proposer | None]:
    """As in a policy; n-grams have no model."""
    drafted = configurations().map(lambda one: one.proposer)
    return drafted.map(lambda one: replace(one, model=None) if one is not None and one.method == "ngram" else one)


def _without_defaults(configuration: Configuration, engine: Engine, repository: str) -> Configuration:
    default = engine.defaults(
        accelerators()[configuration.accelerator],
        configuration.tensor_parallel_size,
        configuration.data_parallel_size,
    )
    own = {
        "max_num_seqs": default.max_num_seqs,
        "max_num_batched_tokens": default.max_num_batched_tokens,
        "gpu_memory_utilization": default.gpu_memory_utilization,
        "max_model_len": models().resolve(repository).context_length,
    }
    return replace(
        configuration, **{name: None for name, value in own.items() if getattr(configuration, name) == value}
    )


@given(rendered())
def test_what_is_rendered_is_read_back_as_what_it_was_planned_as(inputs: VariantInputs):
    configuration = inputs.configuration
    variant = render_variant(inputs)
    spot = next(iter(SPOT_LABELS.items())) if configuration.capacity_type is CapacityType.SPOT else ("a", "b")
    carrier = node(accelerator=configuration.accelerator)
    carrier = replace(carrier, labels=dict([*carrier.labels.items(), spot]))
    found = existing_of(
        variant.deployment,
        Surroundings(
            pods=pods({**variant.deployment, "spec": {**variant.deployment["spec"], "replicas": 1}}),
            nodes=[carrier],
            offerings=[offering(configuration.accelerator, capacity_type=kind) for kind in CapacityType],
        ),
    )

    assert isinstance(found, Existing)
    assert configuration == found.configuration
    assert inputs.engine == found.engine
    assert configuration.accelerators_per_replica == found.accelerators
    assert inputs.policy.spec.model.name == found.served_name
    assert () == found.given.strange
