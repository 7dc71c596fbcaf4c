"""The command line: each command parses, calls one stage, prints.

Tables for people by default; with ``--json`` one document on stdout and nothing else. Exit codes:
0 done, 2 bad usage or bad input (one or two lines on stderr, no traceback, no value of a cell).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from otrack_risk.cli import access, bench, data, evidence, reports, text
from otrack_risk.cli.options import cli
from otrack_risk.errors import OtrackRiskError

__all__ = ["access", "bench", "cli", "data", "evidence", "main", "reports", "text"]


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    try:
        sys.exit(cli.main(prog_name="otrack-risk", standalone_mode=False) or 0)
    except OtrackRiskError as error:
        click.echo(str(error), err=True)
    except click.ClickException as error:
        asked = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "otrack-risk"
        click.echo(f"Usage: {error.format_message()}\nMend: see {asked} --help.", err=True)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except Exception as error:  # the message may quote a cell of the data, so it is withheld
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "an unknown place"
        click.echo(
            f"Internal error: {type(error).__name__} at {where}.\nMend: report it with the command used.", err=True
        )
    sys.exit(2)
