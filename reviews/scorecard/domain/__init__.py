"""Framework-independent rules and calculations of the scorecard."""
