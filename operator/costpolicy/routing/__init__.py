"""Which prompts a cheaper model may answer: complexity, its proof on labels, and prompts that cost less."""
