"""Advice on what already runs: vLLM Deployments that somebody else wrote, read and never written.

Pure.  :mod:`~costpolicy.advice.command` finds what a container gives to vLLM, :mod:`~costpolicy.advice.serving` what
those words mean to the release that reads them, :mod:`~costpolicy.advice.holding` which accelerators its pods hold,
and :mod:`~costpolicy.advice.existing` puts them together as the configuration that the planner would call it.  What
cannot be known is ``Missing`` with its reason: a price of a guess would be no advice.
"""
