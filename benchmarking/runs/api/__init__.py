"""The API of runs: runs, evaluation sets and the sandbox."""
