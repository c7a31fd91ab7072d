"""The value of a model's answers, and what one costs: by request, by accepted answer, from an API or an own server."""
