"""The evaluator: asks baseline and canary the same prompts and counts what they answered."""
