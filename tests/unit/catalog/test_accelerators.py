"""The accelerator catalogue and how a node's labels name one.

Covered: the fixed names, plausible figures of every entry, labels as device plugins and clouds write them,
sliced and unknown GPUs, broken files.
Not covered: whether a data sheet is right; the sources are named in the file.
"""

from datetime import date

import pytest

from costpolicy.catalog.accelerators import Accelerator, accelerator_of_node, accelerators, load_accelerators
from costpolicy.catalog.sources import CatalogError, read_packaged
from costpolicy.units import GIB

FIXED_NAMES = {
    "nvidia-t4",
    "nvidia-l4",
    "nvidia-a10",
    "nvidia-a10g",
    "nvidia-l40s",
    "nvidia-a100-40gb",
    "nvidia-a100-80gb",
    "nvidia-h100-80gb",
    "nvidia-h100-nvl",
    "nvidia-h200",
    "nvidia-b200",
    "nvidia-rtx-pro-6000",
    "amd-mi300x",
}
ALL = list(accelerators().values())


def test_has_every_fixed_name() -> None:
    assert set() == FIXED_NAMES - set(accelerators())


@pytest.mark.parametrize("accelerator", ALL, ids=lambda each: each.name)
def test_every_entry_is_sourced_and_plausible(accelerator: Accelerator) -> None:
    assert accelerator.source
    assert date(2026, 1, 1) <= accelerator.date
    assert 14 * GIB < accelerator.memory_bytes < 300 * GIB
    assert 2e11 < accelerator.memory_bandwidth < 1e13
    assert accelerator.node_labels
    assert f"{accelerator.vendor}.com/gpu" == accelerator.resource_name
    # Reading all memory takes every generation between 15 and 80 ms; a wrong unit or digit leaves that range.
    assert 0.015 < accelerator.memory_bytes / accelerator.memory_bandwidth < 0.085


@pytest.mark.parametrize("accelerator", ALL, ids=lambda each: each.name)
def test_arithmetic_types_follow_the_generation(accelerator: Accelerator) -> None:
    kinds = set(accelerator.flops)
    assert {"fp16", "int8"} <= kinds
    capability = accelerator.compute_capability
    if capability is not None:
        assert (capability >= (8, 0)) == ("bf16" in kinds)
        assert (capability >= (8, 9)) == ("fp8" in kinds)
        assert (capability >= (10, 0)) == ("fp4" in kinds)
    if "fp8" in kinds:
        # Dense rates double with each halving of the width; a sparse figure in one place would be four times.
        assert 2.0 == pytest.approx(accelerator.flops["fp8"] / accelerator.flops["bf16"], rel=0.02)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"nvidia.com/gpu.product": "Tesla-T4"}, "nvidia-t4"),
        ({"nvidia.com/gpu.product": "NVIDIA-L4"}, "nvidia-l4"),
        ({"nvidia.com/gpu.product": "NVIDIA-A10"}, "nvidia-a10"),
        ({"nvidia.com/gpu.product": "NVIDIA-A10G"}, "nvidia-a10g"),
        ({"nvidia.com/gpu.product": "NVIDIA-L40S"}, "nvidia-l40s"),
        ({"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB"}, "nvidia-a100-40gb"),
        ({"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}, "nvidia-a100-80gb"),
        ({"nvidia.com/gpu.product": "NVIDIA-A100-80GB-PCIe"}, "nvidia-a100-80gb-pcie"),
        ({"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}, "nvidia-h100-80gb"),
        ({"nvidia.com/gpu.product": "NVIDIA-H100-NVL"}, "nvidia-h100-nvl"),
        ({"nvidia.com/gpu.product": "NVIDIA-H200"}, "nvidia-h200"),
        ({"nvidia.com/gpu.product": "NVIDIA-B200"}, "nvidia-b200"),
        ({"nvidia.com/gpu.product": "NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition"}, "nvidia-rtx-pro-6000"),
        ({"amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM"}, "amd-mi300x"),
        ({"cloud.google.com/gke-accelerator": "nvidia-h100-mega-80gb"}, "nvidia-h100-80gb"),
        ({"karpenter.k8s.aws/instance-gpu-name": "l40s"}, "nvidia-l40s"),
        ({"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.sharing-strategy": "none"}, "nvidia-l4"),
    ],
)
def test_node_labels_name_the_accelerator(labels: dict[str, str], expected: str) -> None:
    found = accelerator_of_node({"kubernetes.io/os": "linux", **labels})
    assert found is not None
    assert expected == found.name


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb"},
        {"nvidia.com/gpu.product": "Tesla-T4-SHARED"},
        {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.sharing-strategy": "time-slicing"},
        {"cloud.google.com/gke-accelerator": "nvidia-l4", "cloud.google.com/gke-gpu-partition-size": "1g.5gb"},
        {"karpenter.k8s.aws/instance-gpu-name": "l4", "karpenter.k8s.aws/instance-gpu-count": "0"},
        # The device plugin's own word beats a cloud's: this is a sliced A100, not a whole one.
        {
            "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-MIG-3g.40gb",
            "cloud.google.com/gke-accelerator": "nvidia-a100-80gb",
        },
    ],
)
def test_a_slice_or_an_unknown_product_is_no_accelerator(labels: dict[str, str]) -> None:
    assert accelerator_of_node(labels) is None


def test_a_name_twice_is_refused_with_its_line() -> None:
    text = read_packaged("accelerators.yaml")
    first_entry = text[text.index("- name:") : text.index("- name:", text.index("- name:") + 1)]
    with pytest.raises(CatalogError, match="nvidia-t4 is already in this file") as caught:
        load_accelerators(text + first_entry, "accelerators.yaml")
    assert text.count("\n") + 1 == caught.value.line


def test_a_label_value_of_two_products_is_refused_with_its_line() -> None:
    text = read_packaged("accelerators.yaml").replace("[NVIDIA-L40]", "[NVIDIA-L40S]")
    line = text[: text.rindex("[NVIDIA-L40S]")].count("\n") + 1
    with pytest.raises(CatalogError, match="NVIDIA-L40S already means nvidia-l40s") as caught:
        load_accelerators(text, "accelerators.yaml")
    assert line == caught.value.line


def test_an_unknown_arithmetic_type_is_refused_with_its_line() -> None:
    text = read_packaged("accelerators.yaml").replace("teraflops: {fp16: 65,", "teraflops: {fp12: 65,")
    with pytest.raises(CatalogError, match=r"accelerators\.yaml:") as caught:
        load_accelerators(text, "accelerators.yaml")
    assert "fp12" in text.splitlines()[caught.value.line - 1]
