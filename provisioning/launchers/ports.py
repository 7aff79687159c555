"""TCP ports of this machine: free ones, taken ones, and the message for a taken one."""

import socket


class PortTaken(Exception):
    """Something already listens there.

    Attributes:
        host, port: where.
        wanted_by: who of us wanted it.
    """

    def __init__(self, host: str, port: int, wanted_by: str) -> None:
        self.host = host
        self.port = port
        self.wanted_by = wanted_by
        super().__init__(
            f"Port {port} on {host} is taken, and {wanted_by} needs it. "
            f"Stop what listens there ('ss -ltnp sport = :{port}' shows it) or set another port."
        )


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def require_free(host: str, port: int, wanted_by: str) -> None:
    """Bind and let go again, as a server would.

    Raises:
        PortTaken: it is in use.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host, port, wanted_by) from error


def is_listening(host: str, port: int, timeout_s: float = 0.5) -> bool:
    """Whether something accepts a connection there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
