"""Whether an engine can run a configuration at all: shapes, formats and methods, whatever fits and how fast it is."""

from costpolicy.api.reasons import Reason
from costpolicy.catalog.formats import supports_kv_cache, supports_model, supports_weights
from costpolicy.planning.options import Option
from costpolicy.planning.plan import Rejection
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.speculation import unsupported


def check_engine(option: Option, request: PlanRequest) -> Rejection | None:
    """Return the first reason why the engine would not start with this configuration, if there is one."""
    return (
        _heads_divide(option, request)
        or _draft_heads_divide(option)
        or _checkpoint_there(option)
        or _format_supported(option, request)
        or _method_supported(option, request)
    )


def _heads_divide(option: Option, request: PlanRequest) -> Rejection | None:
    size, heads = option.configuration.tensor_parallel_size, request.architecture.attention_heads
    if heads % size == 0:
        return None
    return Rejection(
        reason=Reason.TENSOR_PARALLEL_SHAPE, message=f"{heads} attention heads cannot be split {size} ways"
    )


def _draft_heads_divide(option: Option) -> Rejection | None:
    """The model that proposes is split as the one that verifies."""
    size, speculation = option.configuration.tensor_parallel_size, option.replica.shape.speculation
    if speculation is None or speculation.draft is None or speculation.draft.model.attention_heads % size == 0:
        return None
    draft = speculation.draft.model
    return Rejection(
        reason=Reason.TENSOR_PARALLEL_SHAPE,
        message=f"{draft.attention_heads} attention heads of {draft.id} cannot be split {size} ways",
    )


def _checkpoint_there(option: Option) -> Rejection | None:
    if not option.missing_checkpoint:
        return None
    format_ = option.configuration.weights
    return Rejection(
        reason=Reason.NEEDS_CHECKPOINT,
        message=f"{format_} weights need a checkpoint that is already quantized: name one in spec.model.checkpoints",
    )


def _format_supported(option: Option, request: PlanRequest) -> Rejection | None:
    configuration, accelerator = option.configuration, option.accelerator
    refused = supports_model(accelerator, request.architecture)
    refused = refused or supports_weights(accelerator, configuration.weights, request.engine.version)
    refused = refused or supports_kv_cache(accelerator, configuration.kv_cache_dtype, request.architecture.head_size)
    return Rejection(reason=Reason.FORMAT_UNSUPPORTED, message=refused) if refused else None


def _method_supported(option: Option, request: PlanRequest) -> Rejection | None:
    proposer = option.configuration.proposer
    reason = unsupported(proposer, request.engine) if proposer is not None else ""
    return Rejection(reason=Reason.METHOD_UNSUPPORTED, message=reason) if reason else None
