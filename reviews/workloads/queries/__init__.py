"""Reads of workloads and of billed GPUs."""
