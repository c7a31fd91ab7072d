"""The parts of the Jira Cloud stand-in: what it stores, what it refuses, how it fails on demand."""
