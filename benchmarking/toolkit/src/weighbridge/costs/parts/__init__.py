"""The parts of which costs are made."""
