"""`make screenshots`: pictures of pages on the recorded data, each as the person sees it who uses the page."""
