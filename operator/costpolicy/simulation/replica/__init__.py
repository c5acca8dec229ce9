"""One vLLM replica, step by step: a discrete-event simulation of its scheduler under random requests.

``scheduler`` batches continuously as vLLM V1 does, over ``kv_blocks``; ``arrivals`` and ``requests`` draw what
clients send; ``run`` joins them and ``outcome`` says what the clients saw. How long a step takes is given from
outside (:class:`costpolicy.simulation.replica.scheduler.StepSeconds`): the queues are what is simulated here, not
the accelerator, so the closed forms of ``perf`` can be judged with equal step times.

With ``speculation`` a step yields as many tokens of a request as are accepted of those proposed.

What is not imitated: the API server's own queue, asynchronous scheduling, priorities, eviction from the prefix
cache (the shared prefix always stays), and hits of a preempted request on its own former blocks.
"""
