"""One-time codes of a code generator (RFC 6238, SHA-1, 6 digits, 30 s) and recovery codes: what offices and central ask for
behind a right password.

A generator's clock may be one step off. Each step is good once: the caller keeps the last one that was accepted.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from hmac import compare_digest, digest

from sync.messages.feed import SecondFactor

STEP_S = 30
DIGITS = 6
STEPS_OFF = 1


def code_at(secret: bytes, step: int) -> str:
    """What a generator shows during a step.

    Source: RFC 4226, 5.3 (dynamic truncation), over the step of RFC 6238, 4.2. SHA-1 is what generators speak.
    """
    mac = digest(secret, step.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: bytes, code: str, at: datetime, last_step: int) -> int | None:
    """The step that a code is of; none when it is of no step near ``at``, or of one that is used up.

    Source: RFC 6238, 5.2 (validation, one use of a code, the window).
    """
    now = int(at.timestamp()) // STEP_S
    near = range(now - STEPS_OFF, now + STEPS_OFF + 1)
    fitting = [step for step in near if compare_digest(code_at(secret, step).encode(), code.encode())]
    return next((step for step in fitting if step > last_step), None)


def recovery_hash(code: str) -> bytes:
    """What central tells of a recovery code. It is random enough to need no salt."""
    return hashlib.sha256(code.encode()).digest()


def plain(code: str) -> str:
    """A code as it is compared: however people group it."""
    return "".join(sign for sign in code.upper() if sign.isalnum())


def is_recovery(factor: SecondFactor, code: str) -> bool:
    return recovery_hash(code) in factor.recovery
