"""CostPolicy: plan, run and rightsize the cheapest vLLM deployment that keeps its latency promise.

The package is layered (``docs/concepts/architecture.md``); import-linter enforces the direction of dependencies.
"""

__version__ = "0.1.0"
