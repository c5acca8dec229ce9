"""The main job, end to end, on a real Kubernetes: `make demo`.

The operator runs as its chart's pod. Nodes with large accelerators are simulated (kwok), and what their engines would
measure comes from a stand-in; one node, one engine and Prometheus are real. Every figure that is printed was read at
that moment from the API server, from Prometheus or from the engine.
"""
