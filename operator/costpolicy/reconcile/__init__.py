"""Reconcile: gather -> decide -> apply.

``fleet`` reads what all policies share once a cycle, ``snapshot`` adds what one policy needs, ``decide`` is the pure
heart, ``actions`` turns its answer into writes, and ``reconciler`` runs them in that order and nothing else.
"""
