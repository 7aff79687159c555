"""What start-up made is no longer walked by the collector, and new garbage is still found."""

import subprocess
import sys

_PROGRAM = """
import gc, weakref
from provisioning.collector import spare_what_boot_made

class Knot:
    pass

boot = [Knot() for _ in range(1000)]
spare_what_boot_made()
assert gc.get_freeze_count() > 1000
assert not any(each is boot for each in gc.get_objects())
knot = Knot()
knot.itself, seen = knot, weakref.ref(knot)
del knot
gc.collect()
assert seen() is None
"""


def test_boot_is_spared_and_new_garbage_is_not() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=30)
