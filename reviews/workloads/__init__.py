"""Workloads: what runs in clusters, compared with what is authorized; GPUs that nobody asked for; usage of models."""
