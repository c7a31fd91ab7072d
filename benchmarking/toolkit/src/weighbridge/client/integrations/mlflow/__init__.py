"""The MLflow model registry: an alias only for a version that the feed allows; a draft request for a new version."""
