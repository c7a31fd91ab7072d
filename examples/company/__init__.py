"""The demo: a real model is trained, filed, measured, voted on and authorized, over HTTP, by five people."""
