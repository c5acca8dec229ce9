"""Applications that ask a served model without pause, each with its own way of keeping connections.

The program runs in a pod, as applications do, on the engine's image: vLLM brings the OpenAI SDK along. Every answer is
checked to be whole, so that what a rollout fails or cuts short is counted and not missed.
"""
