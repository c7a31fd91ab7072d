"""The sandbox: runs a system under test in a child process that can harm nobody, and checks what it hands over."""
