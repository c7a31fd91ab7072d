"""The quarterly Model Performance & Cost Review: cycle, agenda, meeting, packet."""
