"""``python -m tests.golden.record``: adds samples of new kinds and new fields, and never touches one that is there.

It refuses when what is recorded was changed, and when this code would read it differently: then it is the code that is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import msgspec

from sync.messages.codec import MalformedMessage
from tests.golden.samples import FOLDER, Sample, again, chained, kinds, missing, recorded


def record(group: str) -> int:
    """Append what is missing to a file; how many lines that were.

    Raises:
        SystemExit: a recorded line was changed, or cannot be read any more.
    """
    samples, last = recorded(group), ""
    for number, sample in enumerate(samples, 1):
        last = chained(last, sample.kind, sample.form, sample.body)
        if last != sample.chain:
            sys.exit(f"{group}.jsonl, line {number} ({sample.kind}): recorded bytes were changed; put them back")
        shape = kinds()[group].get(sample.kind)
        try:
            shape is not None and again(shape, sample.body)
        except MalformedMessage as error:
            sys.exit(f"{group}.jsonl, line {number} ({sample.kind}): cannot be read any more: {error}")
    lines = b""
    added = list(missing(group, samples))
    for kind, form, body in added:
        last = chained(last, kind, form, body)
        lines += msgspec.json.encode(Sample(kind=kind, form=form, body=body, chain=last)) + b"\n"
    with (FOLDER / f"{group}.jsonl").open("ab") as file:
        file.write(lines)
    return len(added)


def main(arguments: Sequence[str] | None = None) -> None:
    """Record every group and say how many samples are new."""
    argparse.ArgumentParser(
        prog="python -m tests.golden.record",
        description="Add wire samples of new kinds and new fields; those that are there stay as they are.",
        epilog="example: python -m tests.golden.record",
    ).parse_args(arguments)
    FOLDER.mkdir(exist_ok=True)
    for group in kinds():
        print(f"{group}: {record(group)} new of {len(recorded(group))}")


if __name__ == "__main__":
    main()
