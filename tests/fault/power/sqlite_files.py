"""Sees every file operation of the interpreter's own SQLite.

SQLite reaches files through a table of functions, its VFS (https://sqlite.org/vfs.html). Here a copy of the ``unix`` one is
made the default while inside ``watched``, with five functions replaced: open, delete, and of each opened file write, truncate,
sync. They tell a ``Watcher`` and call the original. So the very library that ``sqlite3`` loads works on real files, and
nothing above it is changed or knows. fsync of the folder happens inside the original sync and delete; it is seen by the system
call that precedes it (``openDirectory``, replaceable by name).

Layouts are those of sqlite3.h, stable since 3.7.7 (VFS version 3) and 3.7.17 (file methods version 3). The shared memory of
WAL readers (``-shm``) does not come by here: it is never synced and SQLite makes it anew when it opens the file first.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any, Protocol

OK, IOERR, FULL = 0, 10, 13
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_Close = CFUNCTYPE(c_int, c_void_p)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_OpenDirectory = CFUNCTYPE(c_int, c_char_p, c_void_p)
_SetSystemCall = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)
_GetSystemCall = CFUNCTYPE(c_void_p, c_void_p, c_char_p)


class _Vfs(Structure):
    _fields_ = [
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        *((name, c_void_p) for name in ("access", "full_path", "dl_open", "dl_error", "dl_sym", "dl_close")),
        *((name, c_void_p) for name in ("randomness", "sleep", "current_time", "last_error", "current_time_64")),
        ("set_system_call", c_void_p),
        ("get_system_call", c_void_p),
        ("next_system_call", c_void_p),
    ]


class _Methods(Structure):
    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        *((name, c_void_p) for name in ("size", "lock", "unlock", "check_lock", "control", "sector", "traits")),
        *((name, c_void_p) for name in ("shm_map", "shm_lock", "shm_barrier", "shm_unmap", "fetch", "unfetch")),
    ]


class _File(Structure):
    _fields_ = [("methods", POINTER(_Methods))]


class Watcher(Protocol):
    """Is told of what SQLite does to the files of one folder; names are without the folder. Called on SQLite's threads."""

    def opened(self, name: str, *, created: bool) -> int:
        """A file is open; gives the inode that its later operations carry."""

    def fitting(self, inode: int, offset: int, length: int) -> int:
        """How many of these bytes the disk has room for."""

    def wrote(self, inode: int, offset: int, data: bytes) -> None: ...

    def truncated(self, inode: int, size: int) -> None: ...

    def synced(self, inode: int) -> None: ...

    def deleted(self, name: str) -> None:
        """Told just before, so that the folder's fsync comes behind it."""

    def folder_synced(self) -> None: ...


_for_ever: list[object] = []
"""A connection may outlive ``watched``: what SQLite holds pointers to is never freed."""


class _Library:
    """The SQLite that ``sqlite3`` uses: symbols are looked up in that extension and what it is linked to."""

    def __init__(self) -> None:
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        library.sqlite3_vfs_find.argtypes = [c_char_p]
        library.sqlite3_vfs_register.argtypes = [POINTER(_Vfs), c_int]
        library.sqlite3_vfs_unregister.argtypes = [POINTER(_Vfs)]
        self.find, self.register, self.unregister = (
            library.sqlite3_vfs_find,
            library.sqlite3_vfs_register,
            library.sqlite3_vfs_unregister,
        )


class _Tap:
    """The replaced functions. An exception must not cross into C: it is kept, and SQLite is told of an I/O error."""

    def __init__(self, unix: Any, folder: Path, watcher: Watcher) -> None:
        self._unix = unix
        self._folder = folder
        self._prefix = os.fsencode(folder.resolve()) + b"/"
        self._watcher = watcher
        self._originals: dict[int, _Methods] = {}
        self._patched: dict[int, Any] = {}
        self._inodes: dict[int, int] = {}
        self.failure: Exception | None = None
        self._open = _Open(unix.contents.open)
        self._delete = _Delete(unix.contents.delete)
        self._open_directory = _OpenDirectory(_GetSystemCall(unix.contents.get_system_call)(unix, b"openDirectory"))
        self.callbacks = {
            "open": _Open(self._guarded(self._on_open)),
            "delete": _Delete(self._guarded(self._on_delete)),
            "open_directory": _OpenDirectory(self._guarded(self._on_open_directory)),
            "close": _Close(self._guarded(self._on_close)),
            "write": _Write(self._guarded(self._on_write)),
            "truncate": _Truncate(self._guarded(self._on_truncate)),
            "sync": _Sync(self._guarded(self._on_sync)),
        }

    def _guarded(self, function: Callable[..., int]) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            try:
                return function(*arguments)
            except Exception as error:
                self.failure = self.failure or error
                return IOERR

        return call

    def _own(self, path: bytes | None) -> str | None:
        """A path's name, when it is one of the watched folder."""
        if path is None or not path.startswith(self._prefix):
            return None
        return os.fsdecode(path[len(self._prefix) :])

    def _exists(self, name: str | None) -> bool:
        return name is not None and (self._folder / name).exists()

    def _on_open(self, _vfs: int, path: int | None, file: int, flags: int, out: int | None) -> int:
        name = self._own(ctypes.string_at(path) if path else None)  # none: a temporary file
        existed = self._exists(name)
        code = self._open(ctypes.addressof(self._unix.contents), path, file, flags, out)
        if code == OK and name is not None:
            self._inodes[file] = self._watcher.opened(name, created=not existed)
            self._patch(file)
        return int(code)

    def _patch(self, file: int) -> None:
        opened = _File.from_address(file)
        original = ctypes.addressof(opened.methods.contents)
        if original not in self._patched:
            patched = _Methods.from_buffer_copy(opened.methods.contents)
            for name in ("close", "write", "truncate", "sync"):
                setattr(patched, name, ctypes.cast(self.callbacks[name], c_void_p).value)
            self._patched[original] = patched
        self._originals[file] = _Methods.from_address(original)
        opened.methods = ctypes.pointer(self._patched[original])

    def _on_close(self, file: int) -> int:
        self._inodes.pop(file)
        return int(_Close(self._originals.pop(file).close)(file))

    def _on_write(self, file: int, data: int, length: int, offset: int) -> int:
        inode, write = self._inodes[file], _Write(self._originals[file].write)
        fits = self._watcher.fitting(inode, offset, length)
        code = write(file, data, fits, offset) if fits else OK
        if code != OK:
            return int(code)
        if fits:
            self._watcher.wrote(inode, offset, ctypes.string_at(data, fits))
        return OK if fits == length else FULL

    def _on_truncate(self, file: int, size: int) -> int:
        code = _Truncate(self._originals[file].truncate)(file, size)
        if code == OK:
            self._watcher.truncated(self._inodes[file], size)
        return int(code)

    def _on_sync(self, file: int, flags: int) -> int:
        code = _Sync(self._originals[file].sync)(file, flags)
        if code == OK:
            self._watcher.synced(self._inodes[file])
        return int(code)

    def _on_delete(self, _vfs: int, path: int, sync_folder: int) -> int:
        name = self._own(ctypes.string_at(path))
        if name is not None and self._exists(name):
            self._watcher.deleted(name)
        return int(self._delete(ctypes.addressof(self._unix.contents), path, sync_folder))

    def _on_open_directory(self, path: bytes, out: int) -> int:
        if self._own(path) is not None:
            self._watcher.folder_synced()
        return int(self._open_directory(path, out))


@contextmanager
def watched(folder: Path, watcher: Watcher) -> Iterator[None]:
    """Tell ``watcher`` of all that SQLite does in ``folder`` through connections opened inside. One at a time.

    Raises:
        Exception: what the watcher raised, at the end; SQLite has seen an I/O error at that moment.
    """
    library = _Library()
    unix = library.find(b"unix")
    tap = _Tap(unix, folder, watcher)
    vfs = _Vfs.from_buffer_copy(unix.contents)
    vfs.name, vfs.next = b"watched", None
    vfs.open = ctypes.cast(tap.callbacks["open"], c_void_p).value
    vfs.delete = ctypes.cast(tap.callbacks["delete"], c_void_p).value
    _for_ever.extend((tap, vfs))
    replace = _SetSystemCall(unix.contents.set_system_call)
    replace(unix, b"openDirectory", ctypes.cast(tap.callbacks["open_directory"], c_void_p))
    library.register(ctypes.byref(vfs), 1)
    try:
        yield
    finally:
        library.unregister(ctypes.byref(vfs))
        library.register(unix, 1)
        replace(unix, b"openDirectory", None)
    if tap.failure is not None:
        raise tap.failure
