"""Row-level files: the one output that holds a line for each person or note, and so is written apart.

Only where an option names the file; readable by its owner alone (mode 0600); whole or not at all; and,
where a recipient is given, encrypted with age (https://age-encryption.org/v1) before a byte reaches the disk.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otrack_risk.errors import FileError, ParameterError

if TYPE_CHECKING:
    import polars as pl

RECIPIENT = click.option("--recipient", metavar="age1...", help="Encrypt that file to this age key; it ends in .age.")


def place(path: Path | None, recipient: str | None, option: str) -> Path | None:
    """Where a row-level file will stand; asked before any work is done.

    Parameters
    ----------
    path : the file that the user named; None: none is wanted
    recipient : an age public key, ``age1...``; the file then ends in ``.age``
    option : the option that names the file, for messages

    Raises
    ------
    ParameterError
        A recipient without a file, a key that is none, or no pyrage (the extra ``sign``).
    """
    if recipient is None:
        return path
    if path is None:
        raise ParameterError("--recipient: there is nothing to encrypt.", f"name a file with {option}.")
    _key(recipient)
    return path if path.suffix == ".age" else path.with_name(f"{path.name}.age")


def write_table(frame: pl.DataFrame, path: Path, recipient: str | None = None) -> None:
    """Writes rows as Parquet; ``path`` is what :func:`place` gave."""
    held = io.BytesIO()
    frame.write_parquet(held)
    _write([held.getvalue()], path, recipient)


def write_lines(lines: Iterable[str], path: Path, recipient: str | None = None) -> None:
    """Writes lines of UTF-8, each ended with a newline; ``path`` is what :func:`place` gave."""
    _write((f"{line}\n".encode() for line in lines), path, recipient)


def write_text(text: str, path: Path) -> None:
    """Writes a text that names accounts, as it is, in UTF-8."""
    _write([text.encode()], path, None)


def _write(content: Iterable[bytes], path: Path, recipient: str | None) -> None:
    """Writes a file for its owner's eyes, or nothing: what is half-written never has the name."""
    if recipient is not None:
        import pyrage

        content = [pyrage.encrypt(b"".join(content), [_key(recipient)])]
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        # A new file, closed to others from its first byte whatever the umask; never through a link.
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as out:
            out.writelines(content)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise FileError(f"{path.name}: it cannot be written.", "name a file in a folder that exists.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _key(recipient: str) -> object:
    try:
        import pyrage
    except ImportError:
        raise ParameterError(
            "--recipient: pyrage, which encrypts, is not installed.",
            "install it with pip install 'otrack-risk[sign]', or leave --recipient out and guard the file yourself.",
        ) from None
    try:
        return pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise ParameterError(
            "--recipient: this is no age public key.", "give what age-keygen prints as public key: age1..."
        ) from None
