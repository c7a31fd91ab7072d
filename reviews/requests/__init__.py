"""The model review request: its states, and who may see and change it."""
