"""Reports and exports: what policies cost and what changes saved, put together for people and for other tools; pure.

It reads statuses and the ledger's figures, decides nothing, and writes text: a page, tables, rows.
"""
