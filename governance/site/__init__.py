"""Common parts of all pages and all API responses."""
