"""Audits: what a deployment pays for and nobody has any use of.

Each module looks for one kind of waste in what engines counted and in how they were started.  An audit answers with a
:class:`~costpolicy.savings.audit.finding.Finding`, with silence where all is well, or with what it would have to know.  The
money of a finding is the cost of the cheapest plan minus that of the cheapest plan without the waste
(:mod:`costpolicy.savings.replan`), so it is 0 where no accelerator goes.
"""
