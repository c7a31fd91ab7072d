"""What a page shows of a chart: its picture, its words and its table."""
