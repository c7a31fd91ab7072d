"""The page of a request: its tabs, the content of each, and the steps that a reader takes there."""
