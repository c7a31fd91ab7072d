"""Rules of the inventory: where a version may lie, and how one that is no single file is described."""
