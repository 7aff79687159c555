"""How long the machines run: short at each push, as long as one likes by ``STATEFUL_EXAMPLES=100``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXAMPLES_VARIABLE = "STATEFUL_EXAMPLES"


def effort(examples: int, steps: int) -> settings:
    """Settings for a machine whose every example starts processes.

    Args:
        examples: how many sequences, unless the environment says otherwise.
        steps: the most rules of one sequence.
    """
    return settings(
        max_examples=int(os.environ.get(EXAMPLES_VARIABLE, examples)),
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
