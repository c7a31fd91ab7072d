"""Writes of workloads: reports of clusters, and findings of GPUs that nobody asked for."""
