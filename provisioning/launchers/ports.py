"""TCP ports of this machine: free ones, taken ones, and the message for a taken one."""

import secrets
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


# Below the range that systems take the ports of outgoing connections from (Linux: from 32768 on): a port that a server will want
# again after a restart must not become somebody's connection meanwhile.
_OURS = range(20_000, 32_000)
_TRIES = 50
_given: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listened on a moment ago, and that this process was not given before."""
    for _ in range(_TRIES):
        port = _OURS[secrets.randbelow(len(_OURS))]
        if port not in _given and _is_free(host, port):
            _given.add(port)
            return port
    with socket.socket() as probe:  # a crowded machine: whichever the system has
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


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
