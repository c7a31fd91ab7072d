"""Commands about costs and prices."""
