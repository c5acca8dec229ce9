"""Rollout: when and how what runs is changed.  Pure; time is a parameter.

``replicas`` is the fast loop (minutes), ``verdict`` says whether a better configuration is worth a change, and
``transition`` the next step of a change that is under way.
"""
