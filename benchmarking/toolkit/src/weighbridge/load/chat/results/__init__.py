"""Results of streamed answers: samples, tokens, metrics, and the verdict."""
