"""Commands about subjects: the manifest of a folder, and the memory of a language model."""
