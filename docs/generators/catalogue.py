"""The reference of what the catalogue knows: accelerators, models, engine versions."""

from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import supported_engines
from costpolicy.catalog.models import models
from costpolicy.catalog.parameters import count_parameters
from costpolicy.units import GIB

HEAD = """\
# Catalogue

<!-- Made by docs/generators/catalogue.py; do not edit. -->

Sources and dates stand beside every entry in `operator/costpolicy/catalog/data/`.

## Accelerators

Memory is what the engine sees, FLOP/s are dense.

| Name | Memory | Bandwidth | bf16 (fp16) | fp8 | Link | Node label |
|---|---|---|---|---|---|---|
"""
MODELS = """
## Models

Any other model works too when its sizes are stated in `spec.model.architecture`.

| Model | Parameters | Active | Layers | KV heads | Context |
|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    return (
        HEAD
        + _accelerators()
        + MODELS
        + _models()
        + f"\n## vLLM\n\nVersions {', '.join(engine.version for engine in supported_engines())}.\n"
    )


def _accelerators() -> str:
    rows = []
    for one in accelerators().values():
        label, values = next(iter(one.node_labels.items()))
        wide = one.flops.get("bf16") or one.flops["fp16"]
        narrow = f"{one.flops['fp8'] / 1e12:.0f} TFLOP/s" if "fp8" in one.flops else ""
        rows.append(
            f"| `{one.name}` | {one.memory_bytes / GIB:.1f} GiB | {one.memory_bandwidth / 1e9:,.0f} GB/s "
            f"| {wide / 1e12:.0f} TFLOP/s | {narrow} | {one.interconnect.kind} | `{label}={values[0]}` |\n"
        )
    return "".join(rows)


def _models() -> str:
    rows = []
    for one in models():
        counted = count_parameters(one)
        rows.append(
            f"| `{one.id}` | {counted.total / 1e9:.1f} B | {counted.active / 1e9:.1f} B "
            f"| {one.layers} | {one.kv_heads} | {one.context_length:,} |\n"
        )
    return "".join(rows)
