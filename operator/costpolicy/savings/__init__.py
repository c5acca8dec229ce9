"""Savings: what was paid, exactly, and what a change of it was worth."""
