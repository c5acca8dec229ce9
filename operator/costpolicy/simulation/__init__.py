"""A cluster, its traffic and its metrics, all made up, for the real reconciler to work on in no time.

For scenario tests and ``costpolicy simulate``. ``world`` joins the parts: a store with the API server's
semantics of server-side apply (``fields``, ``store``, ``gateway``), controllers and a scheduler
(``cluster``), arrivals (``traffic``), engines with a latency model of their own (``engine``, which imports
nothing of ``perf``: a plan must not be graded by the model that made it), and answers to the operator's
questions (``metrics``). ``replica`` is apart from these: one replica's scheduler step by step, with step times
given from outside, to check the closed forms of queues and percentiles with.

``scenario`` is a document that says what happens in a world, ``play`` plays it with the operator (``attention``) and with
plain deployments (``deployed``, ``autoscaler``), and ``bounds`` judges.

What is not imitated: schemas and admission, watches, images, networks, rolling updates.
"""
