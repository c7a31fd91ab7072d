"""The demo: five people train, file, measure, vote on and authorize a real model over HTTP."""
