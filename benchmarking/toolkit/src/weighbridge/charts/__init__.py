"""The one chart kit: Vega-Lite specifications with their data inside, one look, and a table beside every picture."""
