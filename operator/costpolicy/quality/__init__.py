"""Quality: what an answer is worth, what paired answers prove, and how many of them a proof needs."""
