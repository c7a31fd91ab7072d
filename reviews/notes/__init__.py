"""Personal notes on a request: a person's last look at it, the parts that they viewed, and a vote not cast yet."""
