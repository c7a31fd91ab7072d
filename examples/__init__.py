"""Complete examples."""
