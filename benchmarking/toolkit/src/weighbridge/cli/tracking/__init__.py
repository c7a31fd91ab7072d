"""Commands about experiment trackers."""
