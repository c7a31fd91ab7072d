"""Workloads: what runs in clusters, compared with what is authorized, and billed GPUs that nobody asked for."""
