"""Quality of the answers of a model."""
