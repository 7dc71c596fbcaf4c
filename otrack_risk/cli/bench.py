"""Commands for the bench itself: JupyterLab, and what is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from otrack_risk.cli.options import JSON, command, document


@command("lab", "otrack-risk lab")
@click.argument("more", nargs=-1)
@click.option("--port", type=int, default=8888, show_default=True)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def lab_command(more: tuple[str, ...], port: int, no_browser: bool) -> None:
    """JupyterLab on loopback, at notebooks/, with news and update checks off.

    What follows -- is handed to JupyterLab as it is.
    """
    from otrack_risk.report import run

    folder = run.notebooks()[0].parent
    with tempfile.TemporaryDirectory() as settings:
        (Path(settings) / "overrides.json").write_text(json.dumps(_LAB_SETTINGS), encoding="utf-8")
        options = [
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            f"--ServerApp.root_dir={folder.parent}",
            f"--ServerApp.open_browser={not no_browser}",
            f"--LabApp.app_settings_dir={settings}",
            "--LabApp.news_url=None",
            f"--LabApp.default_url=/lab/tree/{folder.name}/breach_impact.py",
        ]
        sys.exit(subprocess.call([sys.executable, "-m", "jupyter", "lab", *options, *more]))


_LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"python": "Jupytext Notebook"}},
}


@command("doctor", "otrack-risk doctor")
@JSON
def doctor_command(as_json: bool) -> None:
    """What is installed, what is missing, and how to mend it."""
    found = [{"part": part, "for": use, "version": _version(part), "mend": mend} for part, use, mend in _PARTS]
    programs = [
        {"part": name, "for": use, "version": "found" if shutil.which(name) else None, "mend": mend}
        for name, use, mend in _PROGRAMS
    ]
    if as_json:
        document("doctor", {"python": sys.version.split()[0], "parts": found + programs}, [], {})
        return
    click.echo(f"Python {sys.version.split()[0]}")
    for entry in found + programs:
        state = entry["version"] or f"missing; {entry['mend']}"
        click.echo(f"{entry['part']}: {state} ({entry['for']})")


_PARTS = (
    ("polars", "tables", "make demo installs it"),
    ("papermill", "running notebooks", "make demo installs it"),
    ("jupyterlab", "the workbench", "make demo installs it"),
    ("matplotlib", "pictures", "make demo installs it"),
    ("presidio-analyzer", "a second opinion on free text", "pip install 'otrack-risk[ner]'"),
    ("pyspark", "tables on a cluster", "pip install 'otrack-risk[spark]'"),
    ("psycopg", "reading PostgreSQL", "pip install 'otrack-risk[postgres]'"),
    ("playwright", "looking at pages in a browser", "pip install 'otrack-risk[browser]'"),
)
_PROGRAMS = (
    ("java", "Spark", "install a Java 17 runtime"),
    ("chromium", "looking at pages in a browser", "install Chromium"),
)


def _version(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
