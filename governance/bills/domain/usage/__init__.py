"""Readers of usage and costs that are no bill in the FOCUS format: schedulers, providers, gateways."""
