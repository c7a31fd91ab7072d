"""A wire to a broker of this machine that can be cut, because the broker itself serves others too."""

import contextlib
import socket
import socketserver
import threading


def serve(port: int, broker_port: int) -> None:
    """Carry bytes between `port` and the broker, until the process is killed."""

    class Wire(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", broker_port)) as other:
                threading.Thread(target=_pour, args=(other, self.request), daemon=True).start()
                _pour(self.request, other)

    class Line(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads, request_queue_size = True, True, 64

    Line(("127.0.0.1", port), Wire).serve_forever(poll_interval=0.1)


def _pour(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
