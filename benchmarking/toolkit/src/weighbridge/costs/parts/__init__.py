"""The parts of the costs of an option."""
