"""What the complexity score can do on RouteLLM's labels, which are no part of the project: `make routing-study`.

The figures are kept in docs/generators/routing_figures.json, from which docs/reference/routing.md is made.
"""
