"""The model review request: its states, who may see and change it."""
