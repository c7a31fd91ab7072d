"""Files with prices."""
