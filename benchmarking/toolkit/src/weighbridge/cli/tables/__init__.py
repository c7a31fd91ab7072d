"""Tables at the terminal."""
