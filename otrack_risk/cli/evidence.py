"""Commands on evidence packs: is one what it was, and sign it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from otrack_risk.cli.options import JSON, PATH, command, document


@command("verify", "otrack-risk verify reports/demo")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--key", type=PATH, help="The signer's public Ed25519 key (PEM); without a signature by it, code 1.")
@JSON
def verify_command(folder: Path, key: Path | None, as_json: bool) -> None:
    """Say whether every file of a report is as its manifest says; name each that is not, with code 1."""
    from otrack_risk.report.verify import verify

    found = verify(folder, key)
    if as_json:
        document("verify", found.record(), [], {"dir": folder, "key": key})
    else:
        click.echo(str(found))
    if not found.ok:
        sys.exit(1)


@command("sign", "otrack-risk sign reports/demo --key private.pem")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--key", type=PATH, required=True, help="A private Ed25519 key (PEM), as openssl genpkey makes it.")
def sign_command(folder: Path, key: Path) -> None:
    """Sign a report that verifies, offline; the signature lies in it as manifest.sig.json."""
    from otrack_risk.report.signed import sign

    click.echo(sign(folder, key))
