"""Charts: Vega-Lite specifications with embedded data, one theme, and a table for every chart."""
