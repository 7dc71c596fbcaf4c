"""Is a pack what it was when it was made? Every file, the manifest itself, and the signature.

Without a key this finds accidents: any byte that changed, any file that is missing or was added.
Who can write the folder can also write a new manifest; only a signature, checked against a public
key that came another way, answers whether somebody did.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from otrack_risk.errors import FileError
from otrack_risk.report.identity import run_id
from otrack_risk.report.pack import LOG, MANIFEST, OUTSIDE, SCHEMA, SIGNATURE, as_json, sealed

RESULTS = "otrack-risk/assess/1"  # the schema of results.json


@dataclass(frozen=True)
class Verification:
    """What was found, file by file."""

    folder: str  # its last name
    run_id: str | None  # as the manifest states it; None where there is no manifest to read
    files: int  # listed in the manifest
    problems: tuple[tuple[str, str], ...]  # (path in the pack, what is wrong with it), sorted
    signature: str  # what is known of it, in words

    @property
    def ok(self) -> bool:
        """Nothing differs."""
        return not self.problems

    def sentence(self) -> str:
        """The outcome in one line."""
        if self.ok:
            return f"{self.folder}: {self.files} files are as the manifest says. {self.signature}"
        named = "1 file is" if len({path for path, _ in self.problems}) == 1 else "Files are"
        return f"{self.folder}: {named} not as the manifest says. {self.signature}"

    def record(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "ok": self.ok,
            "run_id": self.run_id,
            "files": self.files,
            "problems": [{"path": path, "what": what} for path, what in self.problems],
            "signature": self.signature,
        }

    def __str__(self) -> str:
        return "\n".join([self.sentence(), *(f"  {path}: {what}" for path, what in self.problems)])


def verify(folder: Path, key: Path | None = None) -> Verification:
    """Compare a pack with its manifest, and its signature with a public key.

    Parameters
    ----------
    folder : the report folder
    key : a public Ed25519 key in PEM form; a pack without a valid signature by it has a problem

    Raises
    ------
    FileError
        No such folder; a key that cannot be read.
    ParameterError
        A key is given, and the extra ``sign`` is not installed.

    ``run.log`` may be missing, for it names a machine; where it is there it must be as it was written.
    """
    from otrack_risk.report import signed

    if not folder.is_dir():
        raise FileError(f"'{folder.name}' is no folder.", "name the folder of a report.")
    public = None if key is None else signed.public_key(key)
    manifest, problems = _manifest(folder)
    listed = {} if manifest is None else {file.path: file for file in manifest.files}
    if manifest is not None:
        problems += _files(folder, manifest)
        problems += _unlisted(folder, set(listed))
    problems += _log(folder)
    words, wrong = signed.checked(folder, public)
    problems += [(SIGNATURE, what) for what in wrong]
    name = manifest.run_id if manifest is not None else None
    return Verification(folder.resolve().name, name, len(listed), tuple(sorted(set(problems))), words)


def _plain(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or parts[0] == "/" or ".." in parts or "\\" in path or path in OUTSIDE:
        raise ValueError("is no path inside the pack")
    return path


_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Path = Annotated[str, AfterValidator(_plain)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")  # further keys are free, by the contract


class _File(_Strict):
    path: _Path
    sha256: _Sha256
    bytes: Annotated[int, Field(ge=0)]


class _Tool(_Strict):
    version: str
    code_sha256: _Sha256
    commit: str | None
    dirty: bool | None


class _Parameters(_Strict):
    given: dict[str, Any]
    resolved: dict[str, dict[str, Any]]


class _Check(_Strict):
    check: str
    looked_at: int
    passed: bool


class _Figure(_Strict):
    id: str
    key: str
    figure: _Path | None
    table: _Path | None
    function: str | None
    cell: str
    source: str | None


class _Manifest(_Strict):
    schema_: Annotated[str, Field(alias="schema", pattern=f"^{re.escape(SCHEMA)}$")]
    run_id: _Sha256
    tool: _Tool
    input: list[dict[str, Any]]
    beside: list[dict[str, str]]
    parameters: _Parameters
    seeds: dict[str, Any]
    libraries: dict[str, str]
    checks: list[_Check]
    skipped: dict[str, Any]
    suppressed: dict[str, Any]
    not_measured: dict[str, str]
    figures: list[_Figure]
    files: list[_File]
    manifest_sha256: _Sha256


def _manifest(folder: Path) -> tuple[_Manifest | None, list[tuple[str, str]]]:
    """The manifest, where it can be read as one, and what is wrong with it."""
    path = folder / MANIFEST
    if path.is_symlink() or not path.is_file():
        return None, [(MANIFEST, "is missing, so that nothing else can be checked")]
    data = path.read_bytes()
    try:
        content = json.loads(data)
        manifest = _Manifest.model_validate(content)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"])
        return None, [(MANIFEST, f"is not in the form of {SCHEMA} at '{where}'")]
    except (ValueError, RecursionError):
        return None, [(MANIFEST, "is no JSON")]
    problems = []
    try:
        if sealed(content)["manifest_sha256"] != manifest.manifest_sha256:
            return None, [(MANIFEST, "differs from its own SHA-256, so that what it says of the files cannot be used")]
        if as_json(sealed(content)) != data:
            problems.append("is not written as it was")
        if run_id([*content["input"], *content["beside"]], content["parameters"], content["tool"]) != manifest.run_id:
            problems.append("has a run_id that is not of its inputs, parameters and code")
    except ValueError:  # NaN, Infinity, or half a surrogate pair
        return None, [(MANIFEST, "holds what JSON does not have")]
    paths = [file.path for file in manifest.files]
    if len(set(paths)) < len(paths):
        problems.append("lists a file twice")
    if any(path not in paths for figure in manifest.figures for path in (figure.figure, figure.table) if path):
        problems.append("names a figure or table that it does not list")
    if not all(check.passed for check in manifest.checks):
        problems.append("tells of a check that did not pass")
    return manifest, [(MANIFEST, what) for what in problems]


def _files(folder: Path, manifest: _Manifest) -> list[tuple[str, str]]:
    """Files that are missing or changed; results.json of another form."""
    problems = []
    for file in manifest.files:
        path = folder / file.path
        if path.is_symlink() or not path.is_file():
            problems.append((file.path, "is missing"))
            continue
        data = path.read_bytes()
        if len(data) != file.bytes:
            problems.append((file.path, f"has {len(data):,} bytes, not {file.bytes:,}"))
        elif hashlib.sha256(data).hexdigest() != file.sha256:
            problems.append((file.path, "differs in its content"))
        if file.path == "results.json" and _schema(data) != RESULTS:
            problems.append((file.path, f"is not in the form of {RESULTS}"))
    if "results.json" not in {file.path for file in manifest.files}:
        problems.append((MANIFEST, "lists no results.json"))
    return problems


def _schema(data: bytes) -> object:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return content.get("schema") if isinstance(content, dict) else None


def _unlisted(folder: Path, listed: set[str]) -> list[tuple[str, str]]:
    folders = {parent.as_posix() for path in listed for parent in PurePosixPath(path).parents}
    problems = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            problems.append((name, "is a link, not a file"))
        elif path.is_dir():
            if name not in folders:
                problems.append((name, "is a folder that the manifest does not have"))
        elif name not in listed and name not in OUTSIDE:
            problems.append((name, "is not in the manifest"))
    return problems


def _log(folder: Path) -> list[tuple[str, str]]:
    path = folder / LOG
    if path.is_symlink() or not path.is_file():
        return []
    said, mark, rest = path.read_bytes().rpartition(b"sha256 ")
    whole = mark and rest == hashlib.sha256(said).hexdigest().encode() + b"\n"
    return [] if whole else [(LOG, "is not as it was written")]
