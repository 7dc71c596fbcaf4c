"""An Ed25519 signature of a pack, made and checked without any network.

What is signed is an in-toto statement [1]_ in plain JSON: its subject is the manifest, which holds
the hash of every other file. It stands in a DSSE envelope [2]_ in ``manifest.sig.json``, made with
``securesystemslib`` (extra ``sign``). The statement carries the signer's public key, so that damage
is found also by a reader who has no key; whose key it is, only a key that came another way can say.

.. [1] https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
.. [2] https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from otrack_risk.errors import FileError, ParameterError, ReportError
from otrack_risk.report import whole
from otrack_risk.report.pack import MANIFEST, SIGNATURE, as_json

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:otrack-risk:evidence:1"


def sign(folder: Path, key: Path) -> Path:
    """Sign a pack that verifies; the path of the signature, which replaces an earlier one.

    Parameters
    ----------
    folder : the report folder
    key : a private Ed25519 key, PKCS #8 in PEM form without a passphrase, as
        ``openssl genpkey -algorithm ed25519`` makes it

    Raises
    ------
    ParameterError
        The extra ``sign`` is not installed.
    FileError
        The key cannot be read, or is of another kind.
    ReportError
        The pack differs from its manifest: it is not signed then.
    """
    from otrack_risk.report.verify import verify

    signer = _signer(key)
    found = verify(folder)
    if wrong := [(path, what) for path, what in found.problems if path != SIGNATURE]:
        raise ReportError(f"{wrong[0][0]} {wrong[0][1]}; the pack is not signed.", "make the report again, then sign.")
    from securesystemslib.dsse import Envelope

    statement = {
        "_type": STATEMENT,
        "subject": [{"name": MANIFEST, "digest": {"sha256": _digest(folder)}}],
        "predicateType": PREDICATE,
        "predicate": {"run_id": found.run_id, "public_key": signer.public_key.keyval["public"]},
    }
    envelope = Envelope(as_json(statement), PAYLOAD, {})
    envelope.sign(signer)
    whole.put_file(folder / SIGNATURE, as_json(envelope.to_dict()))
    return folder / SIGNATURE


def public_key(path: Path) -> Any:
    """The public key of a PEM file.

    Raises
    ------
    ParameterError, FileError
        As for :func:`sign`.
    """
    _needed()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise FileError(
            f"'{path.name}' is no public Ed25519 key in PEM form.", "make it with openssl pkey -in KEY -pubout."
        ) from None
    return SSlibKey.from_crypto(key)


def checked(folder: Path, public: Any = None) -> tuple[str, list[str]]:
    """What is known of a pack's signature, in words, and what is wrong with it.

    Parameters
    ----------
    public : the key to check it with, from :func:`public_key`; None to check it with the one that it carries
    """
    path = folder / SIGNATURE
    if path.is_symlink() or not path.is_file():
        unsigned = "It is not signed."
        return (unsigned, []) if public is None else (unsigned, ["is missing: the pack is not signed"])
    try:
        _needed()
    except ParameterError:
        return "Its signature was not looked at: the extra sign is not installed.", []
    try:
        envelope, statement = _opened(path.read_bytes())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "Its signature cannot be read.", ["is no signature of this form, or was changed"]
    return _judged(folder, envelope, statement, public)


def _judged(folder: Path, envelope: Any, statement: dict[str, Any], public: Any) -> tuple[str, list[str]]:
    from securesystemslib.exceptions import VerificationError

    try:
        envelope.verify([_carried(statement) if public is None else public], 1)
    except (VerificationError, ValueError):
        of = "the key that it carries" if public is None else "the key that was given"
        return "Its signature is not valid.", [f"is not by {of}, or was changed"]
    manifest = folder / MANIFEST
    if not manifest.is_file() or statement["subject"][0]["digest"]["sha256"] != _digest(folder):
        return "Its signature is of another manifest.", ["is of another manifest"]
    if public is None:
        return "It is signed; by whom was not checked, which takes --key.", []
    return "It is signed by the key that was given.", []


def _opened(data: bytes) -> tuple[Any, dict[str, Any]]:
    """The envelope and its statement; ValueError and its like where a byte is not as :func:`sign` writes it."""
    from securesystemslib.dsse import Envelope

    envelope = Envelope.from_dict(json.loads(data))
    statement = json.loads(envelope.payload)
    form = (envelope.payload_type, statement["_type"], statement["predicateType"], statement["subject"][0]["name"])
    if form != (PAYLOAD, STATEMENT, PREDICATE, MANIFEST) or as_json(envelope.to_dict()) != data:
        raise ValueError("not as it was written")
    _carried(statement)
    return envelope, statement


def _carried(statement: dict[str, Any]) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from securesystemslib.signer import SSlibKey

    raw = bytes.fromhex(statement["predicate"]["public_key"])
    return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(raw))


def _signer(path: Path) -> Any:
    _needed()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError):  # TypeError: it has a passphrase
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise FileError(
            f"'{path.name}' is no private Ed25519 key in PEM form without a passphrase.",
            "make one with openssl genpkey -algorithm ed25519 -out KEY.",
        ) from None
    return CryptoSigner(key)


def _needed() -> None:
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: F401
        from securesystemslib import dsse  # noqa: F401
    except ImportError:
        raise ParameterError(
            "signatures need securesystemslib, which is not installed.", "install otrack-risk with the extra sign."
        ) from None


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
