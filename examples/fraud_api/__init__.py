"""The case of a fraud detector: a managed API, a fine-tuned open model, a light model of one's own, on one load."""
