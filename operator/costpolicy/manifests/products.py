"""Which node labels mean an accelerator in one cluster, out of all that could."""

from collections.abc import Iterable, Mapping

from costpolicy.catalog.accelerators import Accelerator, accelerator_of_node

ProductLabels = Mapping[str, tuple[str, ...]]


def products_on(nodes: Iterable[Mapping[str, str]], accelerator: Accelerator) -> ProductLabels:
    """Return the product labels that this cluster's nodes announce the accelerator by.

    Args:
        nodes: labels of every node.
        accelerator: what is looked for.

    Returns:
        Label keys with every value that means the accelerator; all keys of the catalogue where no node
        carries it yet, since then only a provisioner can say which of them a new node will have.
    """
    carried = {key for labels in nodes if accelerator_of_node(labels) == accelerator for key in labels}
    known = {key: values for key, values in accelerator.node_labels.items() if key in carried}
    return known or accelerator.node_labels
