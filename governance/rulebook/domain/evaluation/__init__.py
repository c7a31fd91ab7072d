"""Evaluates policies for requests: limits, rules, and replays of past requests."""
