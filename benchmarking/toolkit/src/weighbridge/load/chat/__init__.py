"""Load tests of language models: streamed chat completions, their moments, tokens, limits and verdict."""
