"""Observing: PromQL builders, the seam to a metrics source, and the one Prometheus adapter."""
