"""The trade-off: candidates side by side, which of them nobody beats, what to choose, and what is not known."""
