"""The performance model: memory, step time, closed and open loops of one vLLM replica, in closed form.

Pure functions of an :class:`~costpolicy.perf.shape.EngineShape` (model, accelerator, engine settings) and a
:class:`~costpolicy.perf.shape.Workload` (token counts of one request).  All times are seconds, all sizes
bytes. Nothing here knows a price, a benchmark or a cluster.
"""
