"""For clients of servers on this machine, which speak plain HTTP: no client has to read all authorities of the world first."""

import ssl
from typing import Final

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody, and costs nothing: by default each client reads a file of certificates for some twenty milliseconds."""
