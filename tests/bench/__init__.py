"""How fast and how small: ``make bench`` prints figures and judges nothing.

Medians over repeats; CPU time wherever the work is ours alone, because a shared machine's wall time says
little.  Every cluster here is ``costpolicy.simulation``: input and output cost nothing in it.
"""
