"""Files of a certificate: what is wrong with them is said by name; new ones are taken without a restart."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from bridge.server import tls
from bridge.server.tls import Certificate
from bridge.settings import SettingsError
from tests.server.bus import Recorder
from tests.server.encrypted.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path

NO_PEM = "it holds no whole certificate in PEM form"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def certificate(authority: Authority, recorder: Recorder) -> Certificate:
    return Certificate(authority.certificate, authority.key, recorder)


def test_context_takes_tls_1_2_or_newer(authority: Authority) -> None:
    context = tls.read(authority.certificate, authority.key)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert context.verify_mode is ssl.CERT_NONE  # clients show tokens


def test_missing_files_are_named_with_their_setting(authority: Authority, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(SettingsError, match=f"^TLS_CERT_FILE: {gone}: No such file or directory$"):
        tls.read(gone, authority.key)
    with pytest.raises(SettingsError, match=f"^TLS_KEY_FILE: {gone}: No such file or directory$"):
        tls.read(authority.certificate, gone)
    with pytest.raises(SettingsError, match=f"^TLS_CERT_FILE: {tmp_path}: Is a directory$"):
        tls.read(tmp_path, authority.key)


@pytest.mark.parametrize("written", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nMIIB", "ü", "\0"])
def test_certificate_that_is_none_is_named(authority: Authority, written: str) -> None:
    authority.certificate.write_text(written)
    with pytest.raises(SettingsError, match=f"^TLS_CERT_FILE: {authority.certificate}: {NO_PEM}$"):
        tls.read(authority.certificate, authority.key)


def test_comments_in_a_certificate_may_be_anything(authority: Authority) -> None:
    authority.certificate.write_text("Subject: Müller\n" + authority.certificate.read_text())
    tls.read(authority.certificate, authority.key)


def test_half_a_certificate_is_none(authority: Authority) -> None:
    authority.certificate.write_bytes(authority.certificate.read_bytes()[:300])
    with pytest.raises(SettingsError, match=f"^TLS_CERT_FILE: .*{NO_PEM}"):
        tls.read(authority.certificate, authority.key)


@pytest.mark.parametrize("written", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nMIIB"])
def test_key_that_is_none_is_named(authority: Authority, written: str) -> None:
    authority.key.write_text(written)
    with pytest.raises(SettingsError, match=f"^TLS_KEY_FILE: {authority.key}: it cannot be used as the key of "):
        tls.read(authority.certificate, authority.key)


def test_swapped_files_are_told(authority: Authority) -> None:
    with pytest.raises(SettingsError, match=f"^TLS_CERT_FILE: {authority.key}: {NO_PEM}"):
        tls.read(authority.key, authority.certificate)


def test_key_of_another_certificate_is_told(authority: Authority) -> None:
    certificate = authority.certificate.read_bytes()
    authority.issue()
    authority.certificate.write_bytes(certificate)
    with pytest.raises(SettingsError, match=r"^TLS_KEY_FILE: .* it is not the key of the certificate in .*bridge\.crt"):
        tls.read(authority.certificate, authority.key)


def test_key_with_a_passphrase_is_refused_without_asking_for_it(authority: Authority, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl is not None
    locked = tmp_path / "locked.key"
    subprocess.run(  # noqa: S603 our own files
        [openssl, "pkey", "-in", authority.key, "-aes256", "-passout", "pass:secret", "-out", locked], check=True
    )
    with pytest.raises(SettingsError, match=f"^TLS_KEY_FILE: {locked}: it needs a passphrase"):
        tls.read(authority.certificate, locked)


def test_unchanged_files_are_not_read_again(certificate: Certificate, recorder: Recorder) -> None:
    context = certificate.context
    for _ in range(3):
        certificate.refresh()
    assert certificate.context is context
    assert recorder.certificates == []


def test_new_pair_is_taken_once_it_rests(authority: Authority, certificate: Certificate, recorder: Recorder) -> None:
    context = certificate.context
    authority.issue()
    certificate.refresh()
    assert certificate.context is context, "it may still be written"
    for _ in range(3):
        certificate.refresh()
    assert certificate.context is not context
    assert recorder.certificates == [None]


def test_pair_that_cannot_be_used_is_told_once_and_changes_nothing(
    authority: Authority, certificate: Certificate, recorder: Recorder
) -> None:
    context, whole = certificate.context, authority.key.read_bytes()
    authority.key.write_bytes(whole[:50])
    for _ in range(5):
        certificate.refresh()
    assert certificate.context is context
    (problem,) = recorder.certificates
    assert problem is not None
    assert problem.startswith(f"TLS_KEY_FILE: {authority.key}: ")
    authority.key.write_bytes(whole)
    for _ in range(5):
        certificate.refresh()
    assert certificate.context is not context
    assert recorder.certificates == [problem, None]


def test_files_that_are_gone_for_a_while_change_nothing(
    authority: Authority, certificate: Certificate, recorder: Recorder
) -> None:
    context, away = certificate.context, authority.key.with_suffix(".away")
    authority.key.rename(away)
    certificate.refresh()
    away.rename(authority.key)
    for _ in range(3):
        certificate.refresh()
    assert (certificate.context, recorder.certificates) == (context, [])


def test_link_that_points_elsewhere_is_a_change(tmp_path: Path, recorder: Recorder) -> None:
    """Certbot and Kubernetes renew so: the linked file's time and size may well be the same."""
    folders = [tmp_path / "old", tmp_path / "new"]
    for folder in folders:
        folder.mkdir()
        for path in (Authority(folder).certificate, folder / "bridge.key"):
            path.write_bytes(path.read_bytes().ljust(4096, b"\n"))
            os.utime(path, (1, 1))
    current = tmp_path / "current"
    current.symlink_to(folders[0])
    certificate = Certificate(current / "bridge.crt", current / "bridge.key", recorder)
    context = certificate.context
    (tmp_path / "next").symlink_to(folders[1])
    (tmp_path / "next").rename(current)
    certificate.refresh()
    certificate.refresh()
    assert certificate.context is not context
    assert recorder.certificates == [None]
