"""Strict readers of what comes from outside: JSON, YAML and answers over HTTP, each with limits."""
