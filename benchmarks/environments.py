"""Peers that pin what we do not: each lives in an environment of its own, made when it is first asked for.

``peers/NAME.in`` names it, ``peers/NAME.txt`` is its lock with hashes:

    uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \\
        --python-version 3.11 NAME.in -o NAME.txt
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from timing import Stays

HERE = Path(__file__).parent
TELLS = {  # what each can answer, by job
    "pycanon": {"classes": "pycanon, k alone", "sensitive": "pycanon, distinct l alone"},
    "privattacks": {"classes": "privattacks, vulnerability alone"},
}


def python(name: str) -> Path:
    """The interpreter of a peer's environment; installs what its lock says, once for each state of the lock."""
    home, lock = HERE / ".peers" / name, HERE / "peers" / f"{name}.txt"
    interpreter = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    made = home / "made_from.txt"
    if made.exists() and made.read_bytes() == lock.read_bytes():
        return interpreter
    print(f"Installing {name} into an environment of its own (once) ...", file=sys.stderr)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    venv.create(home, clear=True, with_pip=uv is None)
    tool = [uv, "pip", "install", "--python", str(interpreter)] if uv else [str(interpreter), "-m", "pip", "install"]
    subprocess.run([*tool, "--quiet", "--require-hashes", "-r", str(lock)], check=True, stdout=sys.stderr)
    shutil.copyfile(lock, made)
    return interpreter


def peer(name: str, job: str, path: Path, rows: int, limit: float) -> Stays:
    """The peer with the first ``rows`` of the table loaded, ready to be run again and again."""
    return Stays([python(name), HERE / "peers" / "run.py", name, job, path, str(rows)], limit)


def versions(name: str) -> str:
    """The version that the lock pins."""
    lines = (HERE / "peers" / f"{name}.txt").read_text().splitlines()
    return next(line.split("==")[1].split()[0] for line in lines if line.startswith(f"{name}=="))
