"""Which run a report is of: the inputs, the parameters and the code, and one SHA-256 over them.

Nothing here depends on where or when a run took place: a path is told by its last name alone, and
the time, the host and the durations go to ``run.log``, which is outside the manifest.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from otrack_risk import __version__
from otrack_risk.display.tables import plain

PACKAGE = Path(__file__).resolve().parent.parent
CODE = {".py", ".toml", ".j2", ".typ", ".css", ".csv", ".json"}  # what a number or a page can depend on


@dataclass(frozen=True)
class Identity:
    """What a run is made from; ``run_id`` is the SHA-256 of all of it but the libraries."""

    run_id: str  # 64 hexadecimal digits
    tool: Mapping[str, Any]  # version, code_sha256, commit and dirty (both None outside a checkout)
    inputs: tuple[Mapping[str, Any], ...]  # the contract's `input`: a table, its hash and its counts
    beside: tuple[Mapping[str, str], ...]  # further files that parameters name: parameter, name, sha256
    parameters: Mapping[str, Any]  # {"given": ..., "resolved": {notebook: {parameter: value}}}
    libraries: Mapping[str, str]  # name: version, of what this package requires, and Python

    @property
    def seeds(self) -> dict[str, Any]:
        """Every parameter that is a seed, by where it stands: ``{"given": 0, "who_is_singled_out": 0}``."""
        scopes = {"given": self.parameters["given"], **self.parameters["resolved"]}
        return {name: values["seed"] for name, values in scopes.items() if "seed" in values}


def identify(
    inputs: Iterable[Mapping[str, Any]],
    given: Mapping[str, Any],
    resolved: Mapping[str, Mapping[str, Any]] | None = None,
) -> Identity:
    """The identity of a run.

    Parameters
    ----------
    inputs : the contract's ``input`` of the data
    given : the parameters as they were asked for; a path is a ``Path``, or text
    resolved : every parameter of every notebook, defaults filled in
    """
    scopes = {name: dict(values) for name, values in (resolved or {}).items()}
    tool, read = code(), tuple(inputs)
    beside = tuple(_beside({name: value for values in scopes.values() for name, value in values.items()}))
    parameters = {
        "given": {name: named(value) for name, value in given.items()},
        "resolved": {name: {key: named(value) for key, value in values.items()} for name, values in scopes.items()},
    }
    return Identity(run_id([*read, *beside], parameters, tool), tool, read, beside, parameters, libraries())


def run_id(inputs: Iterable[Mapping[str, Any]], parameters: Mapping[str, Any], code: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the inputs, parameters and code as JSON with sorted keys and no spaces."""
    content = plain({"inputs": list(inputs), "parameters": parameters, "code": code})
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@cache
def code() -> dict[str, Any]:
    """Version, SHA-256 over the names and bytes of this package's sources and notebooks, commit, and dirty flag.

    ``commit`` and ``dirty`` (sources or notebooks differ from the commit) are None where the package
    is not the one that a Git checkout tracks. A wheel and the checkout it was built from have one hash.
    """
    beside = PACKAGE.parent / "notebooks"
    sources = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*") if path.suffix in CODE}
    if not (PACKAGE / "notebooks").is_dir():
        sources |= {f"notebooks/{path.name}": path for path in beside.glob("*.py")}
    whole = hashlib.sha256()
    for name, path in sorted(sources.items()):
        if "__pycache__" not in name:
            whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    tracked = _git("ls-files", "--error-unmatch", f"{PACKAGE.name}/__init__.py") is not None
    commit = _git("rev-parse", "HEAD") if tracked else None
    changed = _git("status", "--porcelain", "--", PACKAGE.name, "notebooks") if commit else None
    return {
        "version": __version__,
        "code_sha256": whole.hexdigest(),
        "commit": commit,
        "dirty": None if changed is None else bool(changed),
    }


@cache
def libraries() -> dict[str, str]:
    """Version of Python, and of each library that this package requires, by name, sorted."""
    import platform
    import re

    try:
        required = [line for line in metadata.requires("otrack-risk") or [] if "extra ==" not in line]
    except metadata.PackageNotFoundError:
        required = []
    versions = {"python": platform.python_version()}
    for line in required:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "missing"
    return dict(sorted(versions.items()))


def named(value: Any) -> Any:
    """A value that names files or folders, with ``", "`` between, without their directories; any other as it is."""
    if isinstance(value, Path):
        return value.name
    if isinstance(value, str) and (os.sep in value or "/" in value) and "\n" not in value:
        return ", ".join(Path(part).name for part in value.split(", "))
    return value


def _beside(parameters: Mapping[str, Any]) -> list[dict[str, str]]:
    """The files that parameters name, and the settings in a folder that one names: a number can depend on them."""
    found = []
    texts = [(parameter, value) for parameter, value in sorted(parameters.items()) if isinstance(value, str)]
    for parameter, part in [(parameter, part) for parameter, value in texts for part in value.split(", ") if part]:
        try:
            path = Path(part)
            files = [path] if path.is_file() else sorted(path.glob("*.toml")) if path.is_dir() else []
            found += [
                {"parameter": parameter, "name": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
                for file in files
            ]
        except (OSError, ValueError):  # no path at all: too long, or a NUL in it
            continue
    return found


def _git(*arguments: str) -> str | None:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # it reads; it must not write the index
    try:
        done = subprocess.run(
            ["git", "-C", str(PACKAGE.parent), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
