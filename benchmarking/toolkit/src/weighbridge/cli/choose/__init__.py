"""Commands that choose between candidates."""
