"""Differences between plan and bill, and forecasts."""
