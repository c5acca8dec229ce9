"""The router of a namespace as Kubernetes objects: LiteLLM with one callback module of ours."""
