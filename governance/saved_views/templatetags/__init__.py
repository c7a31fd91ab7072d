"""Template tags of saved views."""
