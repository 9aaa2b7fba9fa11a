"""Ports for servers of our own: free now, and still free when the server listens."""

import random
import socket


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do it: what lingers of closed connections does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """Below the ports that the system gives to outgoing connections: those take a port while nobody listens on it."""
    for port in random.sample(range(20_000, 32_000), 200):
        if is_free(port, host):
            return port
    raise ValueError(f"no port from 20000 to 32000 is free on {host}")
