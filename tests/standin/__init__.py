"""A stand-in for the metrics of engine pods that are simulated (kwok) and so serve nothing.

One process plays any number of vLLM 0.32 engines under a load that can be changed while it runs, and serves
one page of ``/metrics`` for all of them, each series labelled with its pod's ``namespace``, ``pod``,
``costpolicy`` and ``variant`` (scrape it with ``honor_labels: true``).  ``up`` of each pod is on the page
too, as a scrape of the pod would leave it.

It knows nothing of the operator: its latency comes from queueing single requests through single engine steps,
with constants of its own, and not from the planner's formulas.  Only the standard library is used, so that
the folder can be mounted from a ConfigMap and run with ``python -m standin``.

    POST /load  {"namespace": "demo", "policy": "chat", "requestsPerSecond": 4,
                 "promptTokens": 500, "outputTokens": 150, "sharedPrefixTokens": 0}
    POST /pods  {"namespace": "demo", "policy": "chat", "variant": "0a1b2c3d4e", "model": "llama", "pods":
    ["chat-x"],
                 "engine": {"decodeSeconds": 0.012}}      the pods that are ready now; an empty list stops
                 them all
    GET  /metrics, /state
"""
