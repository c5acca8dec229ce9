"""A real Kubernetes for tests and for trying things: no container engine, no registry, no downloads of binaries."""
