"""Allocation: which workloads run on which accelerators, and how many of each, when accelerators are limited.

Pure, and exact where money and limits are concerned.  ``problem`` (question and answer) -> ``tables`` (the question in
integers) -> ``greedy`` (a good answer at once) -> ``program`` and ``highs`` (the best answer, or how far from it) ->
``audit`` (is the answer right?).  HiGHS and NumPy are imported only while something is being allocated.
"""
