"""What a change of the inside must not change outside, word for word; `golden.py` says how to accept a change."""
