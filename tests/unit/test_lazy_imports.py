"""What a start must not pay for: the solver and NumPy, 45 MB that only an allocation needs.

Covered: the operator's and the command line's own imports, in a process of their own.  Not covered: how long a start
takes (``make bench``).
"""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "highspy")
SCRIPT = "import sys, {module}; print(sorted(set(sys.argv[1:]) & sys.modules.keys()))"


@pytest.mark.parametrize(
    "module",
    [
        "costpolicy.runtime.main",
        "costpolicy.cli.main",
        "costpolicy.cli.allocate",
        "costpolicy.planning.allocation.allocate",
    ],
)
def test_importing_the_program_imports_no_solver(module: str):
    command = [sys.executable, "-c", SCRIPT.format(module=module), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


def test_the_script_would_see_them():
    command = [sys.executable, "-c", SCRIPT.format(module="highspy"), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert str(sorted(HEAVY)) == done.stdout.strip()
