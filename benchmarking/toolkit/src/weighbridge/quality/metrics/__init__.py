"""Quality metrics: one registry, and a module for each kind of task."""
