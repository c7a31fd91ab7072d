"""Importers of external price lists; each becomes a dated source. Invalid rows are reported and skipped."""
