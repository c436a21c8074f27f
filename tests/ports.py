"""Ports that stay free until they are used, whoever else runs on this machine."""

import socket


def free_port() -> int:
    """A port of 127.0.0.1 that only a server may take that is given its number.

    Looking for a free port and letting it go again is a race with every other process that looks, or just
    connects somewhere. This one stays bound until the run ends, but nobody listens on it: the kernel gives
    it to nobody by itself, a connection to it is refused, and a server that sets SO_REUSEADDR, as all do,
    can bind it as well.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    held.detach()
    return port
