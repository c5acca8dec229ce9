"""Rendering: from a plan to the Kubernetes objects that carry it out.

Pure: the same inputs give the same bytes. Objects are built from the official client's typed models and
become JSON once, at the end (:mod:`~costpolicy.manifests.serialization`); kinds that the client lacks have
small models of their own in :mod:`~costpolicy.manifests.foreign`. :mod:`~costpolicy.manifests.arguments`
needs no client, so that the command line can print arguments without the price of importing one.

A *variant* is one Deployment whose pod template never changes: everything that would change it changes its
hash, and with it its name. What the catalogue or the cluster contributed is pinned
(:mod:`~costpolicy.manifests.record`), so that a newer operator renders the same template.
"""
