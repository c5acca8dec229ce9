"""The playbook of a policy: every technique with its effort, its money from this deployment's own numbers, and its state.

Money is the cheapest plan with a technique against the cheapest without it (:mod:`.replans`), for the demand that is planned
for.  What decides the state is in :mod:`.facts`; each technique's row is one function (:mod:`.techniques`).
"""
