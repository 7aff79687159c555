"""Recorded bytes of every kind of message, and a maker of new ones.

``wire/*.jsonl`` hold one sample a line: kind, which of its two forms (``least``: what must be there; ``full``: every field),
the body as it was encoded once, and a hash over this line and all before it. Files only grow. A kind whose fields have changed
gets new lines; the old ones stay, for peers and disks have such bytes.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import msgspec
from msgspec import inspect as shapes

from sync.messages import agenda, codec, people, topics, wire
from sync.messages.fact_types import FACTS
from sync.messages.feed import ENTITIES

FOLDER = Path(__file__).parent / "wire"
BASES = (topics.Message, topics.Tagged)
PATTERNS = {
    r"^[0-9a-f]{8}-": "01a202c9-0000-7000-8000-000000000001",
    r"^[a-z0-9][a-z0-9_-]*$": "centro-1",
    r"^([a-z0-9][a-z0-9_-]*)?$": "kiosk-1",
    r"^([0-9]+\.[0-9]+)?$": "1.42",
    r"^[A-Z][1-9][0-9]{0,2}$": "K12",
    r"^[A-Z]$": "K",
    r"^[ACDEFGHJKMNPQRTUVWXY34679]{6}$": "ACDEFG",
    r"^(es|en|fr|ar)$": "ar",
}
"""A text for each pattern that messages ask for, by how the pattern begins."""

Form = Literal["least", "full"]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a file."""

    kind: str
    form: Form
    body: str
    chain: str


def kinds() -> dict[str, dict[str, type[msgspec.Struct]]]:
    """Every kind of message by the file that holds its samples; found, not listed, so that none is forgotten."""
    return {
        "facts": dict(sorted(FACTS.items())),
        "feed": dict(sorted(ENTITIES.items())),
        "wire": _structs(wire, people, agenda),
        "lan": _structs(topics),
    }


def recorded(group: str) -> list[Sample]:
    """The samples of a file, oldest first."""
    file = FOLDER / f"{group}.jsonl"
    lines = file.read_bytes().splitlines() if file.exists() else []
    return [msgspec.json.decode(line, type=Sample) for line in lines]


def chained(before: str, kind: str, form: str, body: str) -> str:
    """The hash of a line behind the hash of the line before it."""
    return hashlib.sha256(f"{before}\n{kind}\n{form}\n{body}".encode()).hexdigest()


def missing(group: str, samples: Sequence[Sample]) -> Iterator[tuple[str, Form, str]]:
    """What has to be recorded: forms that no sample shows as this code writes them."""
    for kind, shape in kinds()[group].items():
        latest = {sample.form: sample.body for sample in samples if sample.kind == kind}
        for form in ("least", "full"):
            body = codec.encode(made(shape, form)).decode()
            if form not in latest or _fields(latest[form]) != _fields(body):
                yield kind, form, body


def again(shape: type[msgspec.Struct], body: str) -> str:
    """What this code writes for a body that it has read."""
    return codec.encode(codec.decode(body, shape)).decode()


def made(shape: type[msgspec.Struct], form: Form) -> Any:
    """A message of a shape, with what must be there or with everything."""
    described = shapes.type_info(shape)
    assert isinstance(described, shapes.StructType)
    wanted = [field for field in described.fields if field.required or (form == "full" and field.name != "v")]
    return shape(**{field.name: _value(field.type, form) for field in wanted})


def _value(described: shapes.Type, form: Form) -> Any:  # noqa: C901, PLR0912 - one case per type
    match described:
        case shapes.Metadata():
            return _value(described.type, form)
        case shapes.UnionType():
            return _value(next(each for each in described.types if not isinstance(each, shapes.NoneType)), form)
        case shapes.StructType():
            return made(described.cls, form)
        case shapes.StrType():
            return _text(described)
        case shapes.IntType():
            return max(7, described.ge or 0) if described.le is None else described.le
        case shapes.BytesType():
            return bytes(range(described.min_length or 4))
        case shapes.LiteralType():
            return described.values[-1]
        case shapes.BoolType():
            return True
        case shapes.DateTimeType():
            return datetime(2026, 11, 23, 8, 30, 15, 250_000, tzinfo=UTC)
        case shapes.DateType():
            return date(2026, 11, 23)
        case shapes.TimeType():
            return time(9, 30)
        case shapes.VarTupleType() | shapes.ListType():
            return (_value(described.item_type, form),) if form == "full" else ()
        case shapes.TupleType():
            return tuple(_value(each, form) for each in described.item_types)
        case shapes.DictType():
            return {_value(described.key_type, form): _value(described.value_type, form)} if form == "full" else {}
        case shapes.RawType():
            return msgspec.Raw(b'{"a":1}')
        case _:
            raise NotImplementedError(f"no sample of {described}")


def _text(described: shapes.StrType) -> str:
    if described.pattern is None:
        return "Fátima 1"[: described.max_length]
    return next(text for begins, text in PATTERNS.items() if described.pattern.startswith(begins))


def _fields(body: str) -> Any:
    """The names of a message and of what is in it, without values."""

    def names(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: names(inner) for name, inner in value.items()}
        return [names(inner) for inner in value] if isinstance(value, list) else None

    return names(msgspec.json.decode(body))


def _structs(*modules: ModuleType) -> dict[str, type[msgspec.Struct]]:
    return {
        name: shape
        for module in modules
        for name, shape in sorted(vars(module).items())
        if inspect.isclass(shape)
        and issubclass(shape, msgspec.Struct)
        and shape.__module__ == module.__name__
        and shape not in BASES
    }
