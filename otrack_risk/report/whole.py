"""A folder that is written whole or not at all, and the leftovers of runs that were killed.

The content is written to a hidden sibling, ``.NAME.new-PID``, forced to the disk, and moved to its
place in one step. What a killed run leaves beside ``NAME`` is removed when the next one begins; a
run that is still going holds a lock on its own sibling, so it is left alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

PRIVATE = 0o600  # of a file for its owner alone


def place(out: Path, content: Mapping[str, bytes], private: Mapping[str, bytes] | None = None) -> None:
    """Put a folder of these files at ``out``, instead of what is there.

    Parameters
    ----------
    out : a folder, or nothing
    content : bytes by path, which is relative and has forward slashes
    private : the same, for files that only their owner may read

    A reader finds the old folder or the new one. Where the system can exchange two folders in one
    step (Linux), that holds also for a machine that stops at any moment; elsewhere the old folder
    stands for an instant as ``.NAME.old-PID``, from where :func:`sweep` puts it back.
    """
    out = out.resolve()
    new = _sibling(out, "new")
    with _held(new):
        for name, data in content.items():
            _put(new / name, data)
        for name, data in (private or {}).items():
            _put(new / name, data, PRIVATE)
        for folder in [new, *(path for path in new.rglob("*") if path.is_dir())]:
            _sync(folder)
        if not out.exists():
            new.rename(out)
        elif not _exchange(new, out):
            old = _sibling(out, "old")
            out.rename(old)
            new.rename(out)
            shutil.rmtree(old, ignore_errors=True)
        _sync(out.parent)  # what has the sibling's name now is the old folder, if anything


def put_file(path: Path, data: bytes) -> None:
    """Write one file whole or not at all, by way of a sibling of its folder, which stays as it is until then."""
    folder = path.resolve().parent
    new = _sibling(folder, "new")
    with _held(new):
        _put(new / path.name, data)
        (new / path.name).replace(folder / path.name)
        _sync(folder)


@contextlib.contextmanager
def workspace(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` for what a run writes on its way, rows included; only its owner may enter it."""
    folder = _sibling(out.resolve(), "run")
    with _held(folder, 0o700):
        yield folder


def sweep(out: Path) -> None:
    """Remove what killed runs left beside ``out``; put the old folder back where one was killed in the move."""
    out = out.resolve()
    ours = re.compile(rf"\.{re.escape(out.name)}\.(new|run|old)-\d+")
    for left in sorted(out.parent.iterdir()) if out.parent.is_dir() else []:
        said = ours.fullmatch(left.name)
        if said is None or left.is_symlink() or _in_use(left):
            continue
        if said[1] == "old" and not out.exists():
            left.rename(out)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _sibling(out: Path, kind: str) -> Path:
    return out.with_name(f".{out.name}.{kind}-{os.getpid()}")


@contextlib.contextmanager
def _held(folder: Path, mode: int = 0o777) -> Iterator[None]:
    """Make the folder anew and hold it for this process, whose lock goes with it; remove what has that name after."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=mode)
    handle = _lock(folder)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
        shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: Path) -> int | None:
    """A handle whose lock nobody else has; None where this system locks no folders. BlockingIOError: it is in use."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle


def _in_use(folder: Path) -> bool:
    try:
        handle = _lock(folder)
    except OSError:
        return True
    if handle is not None:
        os.close(handle)
    return False


def _put(path: Path, data: bytes, mode: int = 0o666) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system lets a folder be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False, and nothing done, where this system cannot."""
    import ctypes

    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):  # no such call: macOS, Windows, an old C library
        return False
    here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)
