"""Static files: their addresses with a content hash, and what to answer when they are asked for.

No web framework here: `StaticAssets.reply` gives status, headers and body, a route of two lines hands them on. An
address made by `url` changes with the content, so browsers may keep it for a year; the same file without (or with an
old) hash is checked again at every use. Files are small and read once; a changed file is noticed by its size and time.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

STATIC_DIRECTORY: Final = Path(__file__).parent / "static"
FOR_EVER: Final = "public, max-age=31536000, immutable"
CHECK_AGAIN: Final = "public, max-age=0, must-revalidate"
# Fonts are named inside a style sheet without a hash; they change with a release at most.
FOR_A_DAY: Final = "public, max-age=86400"
SMALLEST_GZIP_BYTES: Final = 512

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
}
_TEXT: Final = ("text/", "image/svg+xml", "application/manifest+json", "application/json")


class StaticFile(msgspec.Struct, frozen=True):
    """One file as it is served; `version` is the start of its SHA-256, `packed` its gzip form when that pays."""

    body: bytes
    packed: bytes | None
    content_type: str
    version: str
    size: int
    changed_ns: int


class StaticReply(msgspec.Struct, frozen=True):
    """An HTTP answer as plain values."""

    status: int
    headers: dict[str, str]
    body: bytes


class StaticAssets:
    """The shared files of `ui/static`, and those of a feature under its own first path part.

    Args:
        extra: directories by first path part: `{"kiosk": Path(...)}` serves `kiosk/screen.js` from there.
        prefix: path under which the route stands.
    """

    def __init__(self, extra: Mapping[str, Path] | None = None, prefix: str = "/static") -> None:
        self.prefix = prefix
        self._extra = {name: directory.resolve() for name, directory in (extra or {}).items()}
        self._root = STATIC_DIRECTORY.resolve()
        self._files: dict[Path, StaticFile] = {}
        self._paths: dict[str, Path] = {}

    def url(self, name: str) -> str:
        """The address of a file with its version, `/static/css/tokens.css?v=…`.

        Raises:
            FileNotFoundError: there is no such file; ask `has` for what the set-up may not have built.
        """
        file = self.find(name)
        if file is None:
            raise FileNotFoundError(f"no static file {name!r}")
        return f"{self.prefix}/{name}?v={file.version}"

    def has(self, name: str) -> bool:
        """Is the file there (vendor files are missing until the assets are built)?"""
        return self.find(name) is not None

    def find(self, name: str) -> StaticFile | None:
        """The file, or none: unknown names and ways out of the folder are the same."""
        path = self._path(name)
        if path is None:
            return None
        try:
            state = path.stat()
        except FileNotFoundError:
            return None
        known = self._files.get(path)
        if known is None or (known.size, known.changed_ns) != (state.st_size, state.st_mtime_ns):
            known = self._files[path] = _read(path, state.st_mtime_ns)
        return known

    def reply(
        self, name: str, *, version: str | None = None, accept_encoding: str = "", if_none_match: str | None = None
    ) -> StaticReply:
        """What to answer to a GET of `name`.

        Args:
            name: path below the prefix.
            version: value of `?v=`, as asked.
            accept_encoding: request header as sent.
            if_none_match: request header as sent.
        """
        file = self.find(name)
        if file is None:
            return StaticReply(404, {"content-type": "text/plain; charset=utf-8"}, b"")
        packed = file.packed if "gzip" in accept_encoding else None
        etag = f'"{file.version}{"-gz" if packed is not None else ""}"'
        headers = _headers(file, name, etag, fresh=version == file.version)
        if if_none_match is not None and etag in if_none_match:
            return StaticReply(304, headers, b"")
        if packed is not None:
            headers["content-encoding"] = "gzip"
        return StaticReply(200, headers, file.body if packed is None else packed)

    def _path(self, name: str) -> Path | None:
        """Where a file is. What was found once is not looked for again: every page asks for the same dozen."""
        if (found := self._paths.get(name)) is not None:
            return found
        parts = PurePosixPath(name.lstrip("/")).parts
        if not parts or ".." in parts or "\0" in name:
            return None
        found = self._find_path(parts)
        if found is not None and name == "/".join(
            parts
        ):  # one name of each file, or invented ones would fill the memory
            self._paths[name] = found
        return found

    def _find_path(self, parts: tuple[str, ...]) -> Path | None:
        root = self._extra.get(parts[0])
        inside = root.joinpath(*parts[1:]) if root is not None else self._root.joinpath(*parts)
        resolved = inside.resolve()
        if not resolved.is_relative_to(root or self._root) or not resolved.is_file():
            return None
        return resolved


def _read(path: Path, changed_ns: int) -> StaticFile:
    body = path.read_bytes()
    content_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = _packed(body) if content_type.startswith(_TEXT) else None
    return StaticFile(body, packed, content_type, hashlib.sha256(body).hexdigest()[:12], len(body), changed_ns)


def _packed(body: bytes) -> bytes | None:
    if len(body) < SMALLEST_GZIP_BYTES:
        return None
    packed = gzip.compress(body, mtime=0)
    return packed if len(packed) < len(body) else None


def _headers(file: StaticFile, name: str, etag: str, *, fresh: bool) -> dict[str, str]:
    font = name.endswith((".woff2", ".ttf"))
    return {
        "content-type": file.content_type,
        "cache-control": FOR_EVER if fresh else FOR_A_DAY if font else CHECK_AGAIN,
        "etag": etag,
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
    }
