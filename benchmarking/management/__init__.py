"""Commands for operators of benchmark workers."""
