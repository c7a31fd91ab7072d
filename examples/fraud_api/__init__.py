"""Choose a fraud detector: a managed API, a fine-tuned open model, or a small own model, for the same load."""
