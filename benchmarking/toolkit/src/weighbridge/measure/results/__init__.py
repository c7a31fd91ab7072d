"""The document of a profile: its metrics, its samples, and the verdict on its quality."""
