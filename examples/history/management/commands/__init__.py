"""Commands of the generator of history."""
