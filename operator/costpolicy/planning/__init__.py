"""Planning: from a policy, a demand and offerings to the cheapest configuration that keeps the promise.

Pure: no input or output, no clock.  The flow is ``options`` (what could be run) -> ``constraints`` (a chain of
named checks over ``evaluation``'s predictions) -> ``planner`` (cheapest wins, every other keeps its reason) ->
``explain`` (the answer in words).
"""
