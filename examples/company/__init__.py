"""The demo: a real model is trained, filed, measured, voted on and authorised, over HTTP, by five people."""
