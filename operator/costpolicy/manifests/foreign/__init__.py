"""Kinds of other projects that the official client has no models for: as much of each as is rendered here.

Each is checked against the published CRD of its project (``tests/contract/manifests``).
"""
