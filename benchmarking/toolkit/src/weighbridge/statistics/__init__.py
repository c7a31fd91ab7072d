"""Distribution-free statistics."""
