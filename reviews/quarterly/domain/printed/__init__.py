"""What a quarterly packet prints: its sections, its leadership page and its charts."""
