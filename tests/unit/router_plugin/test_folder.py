"""What is mounted into the router.  Not covered: the ConfigMap that carries it (``manifests/router``)."""

import ast
import json
import sys
from pathlib import Path

import costpolicy.router_plugin
from costpolicy.routing.coefficients import TREES_FROM, fit, out_of_fold
from made_labels import made_labels

PLUGIN = Path(costpolicy.router_plugin.__file__).parent
LARGEST = 512 * 1024
KNOW_LITELLM = {"callback.py": {"fastapi", "litellm"}, "keys.py": {"fastapi", "litellm"}}


def modules() -> list[Path]:
    return sorted(PLUGIN.glob("*.py"))


def imported(module: Path) -> set[str]:
    """Packages that a module imports absolutely."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


def test_modules_and_the_largest_coefficients_fit_into_a_configmap_with_room_to_spare():
    labels = made_labels(TREES_FROM)
    coefficients = json.dumps(fit(labels, out_of_fold(labels)))

    assert sum(module.stat().st_size for module in modules()) + len(coefficients.encode()) < LARGEST


def test_only_the_two_modules_that_litellm_loads_import_more_than_the_standard_library():
    beyond = {module.name: imported(module) - set(sys.stdlib_module_names) for module in modules()}

    assert KNOW_LITELLM == {name: packages for name, packages in beyond.items() if packages}
