"""What sampled requests spend on prompts, and what would cost less: findings from OpenAI-format requests."""
