"""The audit trail: one chain of events, and its signed checkpoints."""
