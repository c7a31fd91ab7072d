"""The words by which things are found, in one table with one index; subjects above say what they put there."""
