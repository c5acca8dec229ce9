"""The operator as a process: settings, watches, work queue, lease, telemetry, and the composition root.

Nothing here knows what a good plan is; everything here exists so that ``reconcile`` is called with the right
key at the right time, by one process at a time, and so that an on-call engineer can see that it is.
"""
