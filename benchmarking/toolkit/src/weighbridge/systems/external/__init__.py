"""Systems that run elsewhere: behind HTTP, behind gRPC, or in a program of their own."""
