"""Writes the generated pages of docs/reference from the code they describe, and tells when one is stale."""
