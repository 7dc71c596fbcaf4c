"""A signature says who: made and checked offline, and every byte of it counts."""

from __future__ import annotations

import base64
import builtins
import hashlib
import json
import stat
from pathlib import Path

import nbformat.v4 as v4
import pytest
from click.testing import CliRunner

from otrack_risk.cli import cli
from otrack_risk.errors import FileError, ParameterError, ReportError
from otrack_risk.report import pack, page
from otrack_risk.report.verify import verify

serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
signed = pytest.importorskip("otrack_risk.report.signed")


def keys(folder: Path, name: str) -> tuple[Path, Path]:
    """A private and a public key as openssl writes them."""
    key = ed25519.Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture(autouse=True)
def no_pdf(monkeypatch):
    monkeypatch.setattr(pack, "_pdf", lambda *given: b"%PDF-")  # has tests of its own


@pytest.fixture
def report(tmp_path) -> Path:
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# One", id="cell-0")])
    about = page.About(title="A report", line="A line", synthetic=False, footer=())
    head = {"schema": "otrack-risk/assess/1", "tool": {"version": "0"}, "input": [], "parameters": {}}
    pack.write(tmp_path / "report", {"one": notebook}, [page.page("one", notebook)], about, head, {})
    return tmp_path / "report"


def wrong(report: Path, key: Path | None = None) -> set[str]:
    return {path for path, _ in verify(report, key).problems}


def test_a_signed_pack_verifies_with_its_key_and_with_no_other(report, tmp_path):
    (private, public), (_, other) = keys(tmp_path, "ours"), keys(tmp_path, "theirs")
    assert "not signed" in verify(report).signature
    assert wrong(report, public) == {"manifest.sig.json"}
    signed.sign(report, private)
    assert verify(report, public).ok
    assert verify(report, public).signature == "It is signed by the key that was given."
    assert verify(report).ok
    assert "by whom was not checked" in verify(report).signature
    assert wrong(report, other) == {"manifest.sig.json"}


def test_the_envelope_is_dsse_over_an_in_toto_statement_that_names_the_manifest(report, tmp_path):
    private, public = keys(tmp_path, "ours")
    signed.sign(report, private)
    envelope = json.loads((report / "manifest.sig.json").read_text())
    payload = base64.b64decode(envelope["payload"])
    statement = json.loads(payload)
    digest = hashlib.sha256((report / "manifest.json").read_bytes()).hexdigest()
    assert statement["subject"] == [{"name": "manifest.json", "digest": {"sha256": digest}}]
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    # The pre-authentication encoding of the DSSE specification, put together by hand.
    kind = envelope["payloadType"].encode()
    said = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    key = serialization.load_pem_public_key(public.read_bytes())
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), said)


def test_the_same_pack_and_key_give_the_same_signature(report, tmp_path):
    private, _ = keys(tmp_path, "ours")
    first = signed.sign(report, private).read_bytes()
    assert signed.sign(report, private).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours.pem", "ours.pub.pem", "report"]


@pytest.mark.parametrize("with_key", [True, False])
def test_no_byte_of_the_signature_can_change(report, tmp_path, with_key):
    private, public = keys(tmp_path, "ours")
    path = signed.sign(report, private)
    data = path.read_bytes()
    for place in range(with_key, len(data), 3 if with_key else 2):
        path.write_bytes(data[:place] + bytes([data[place] ^ (0x20 if place % 2 else 0x01)]) + data[place + 1 :])
        assert wrong(report, public if with_key else None) == {"manifest.sig.json"}, place


def test_a_pack_that_was_changed_and_sealed_anew_does_not_have_the_old_signature(report, tmp_path):
    private, public = keys(tmp_path, "ours")
    signed.sign(report, private)
    manifest = json.loads((report / "manifest.json").read_text())
    manifest["seeds"] = {"given": 7}
    (report / "manifest.json").write_bytes(pack.as_json(pack.sealed(manifest)))
    assert wrong(report, public) == {"manifest.sig.json"}
    assert "another manifest" in verify(report, public).signature


def test_a_pack_that_differs_is_not_signed(report, tmp_path):
    (report / "index.html").write_text("changed")
    with pytest.raises(ReportError, match=r"index\.html"):
        signed.sign(report, keys(tmp_path, "ours")[0])
    assert not (report / "manifest.sig.json").exists()


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused_and_not_quoted(report, tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    for ask in (lambda: signed.sign(report, path), lambda: verify(report, path)):
        with pytest.raises(FileError, match=r"key\.pem") as refused:
            ask()
        assert "AAAA" not in str(refused.value)
    with pytest.raises(FileError, match=r"ours\.pub\.pem"):
        signed.sign(report, keys(tmp_path, "ours")[1])  # the public key for the private one


def test_without_the_extra_the_message_names_it(report, tmp_path, monkeypatch):
    private, public = keys(tmp_path, "ours")
    signed.sign(report, private)
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith(("securesystemslib", "cryptography")):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for ask in (lambda: signed.sign(report, private), lambda: verify(report, public)):
        with pytest.raises(ParameterError, match="securesystemslib"):
            ask()
    assert verify(report).ok
    assert "not looked at" in verify(report).signature


def test_the_commands_sign_and_check(report, tmp_path):
    private, public = keys(tmp_path, "ours")
    said = CliRunner().invoke(cli, ["sign", str(report), "--key", str(private)])
    assert said.exit_code == 0, said.output
    assert CliRunner().invoke(cli, ["verify", str(report), "--key", str(public)]).exit_code == 0
    (report / "manifest.sig.json").unlink()
    assert CliRunner().invoke(cli, ["verify", str(report), "--key", str(public)]).exit_code == 1


def test_an_earlier_signature_does_not_stop_a_new_report_and_goes_with_the_old(report, tmp_path):
    signed.sign(report, keys(tmp_path, "ours")[0])
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# One", id="cell-0")])
    about = page.About(title="Another", line="A line", synthetic=False, footer=())
    head = {"schema": "otrack-risk/assess/1", "tool": {"version": "0"}, "input": [], "parameters": {}}
    pack.write(report, {"one": notebook}, [page.page("one", notebook)], about, head, {})
    assert not (report / "manifest.sig.json").exists()
    assert verify(report).ok
    assert stat.S_IMODE(report.stat().st_mode) & 0o700 == 0o700
