"""A Dovecot of the tests' own: plain IMAP with STARTTLS, IMAP over TLS, one Maildir an account."""

import grp
import itertools
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from tests.servers.absent import absent
from tests.servers.accounts import PASSWORD, Account
from tests.servers.processes import LOOPBACK, free_port, private_folder, running

_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
listen = {host}
protocols = imap
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 100
service anvil {{
  {chroot}
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
{rights}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  {chroot}
  inet_listener imap {{
    address = {host}
    port = {port}
  }}
  inet_listener imaps {{
    address = {host}
    port = {tls_port}
    ssl = yes
  }}
}}
"""
_WITHOUT_ROOT = """
default_internal_user = {me}
default_internal_group = {group}
default_login_user = {me}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dovecot:
    """Where it listens.

    Attributes:
        certificate: self-signed, for the name ``localhost``; nobody trusts it.
    """

    folder: Path
    port: int
    tls_port: int
    certificate: Path
    owner: tuple[int, int]
    host: str = LOOPBACK
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def new_account(self) -> Account:
        """Give an account that nobody has used before."""
        username = f"shop{next(self._numbers)}@shop.example"
        return Account(
            host=self.host,
            port=self.port,
            username=username,
            password_file=self.folder / "password",
            deliver=partial(self._drop, username),
        )

    def _drop(self, username: str, raw: bytes, received_at: datetime) -> None:
        """Put a mail into Maildir/new, byte for byte; its file's time becomes INTERNALDATE."""
        box = self.folder / "mail" / username
        for place in (box, box / "tmp", box / "new", box / "cur"):
            if not place.exists():
                place.mkdir(parents=True, mode=0o700)
                os.chown(place, *self.owner)
        name = f"{int(received_at.timestamp())}.{next(self._numbers):08d}.test"
        written = box / "tmp" / name
        written.write_bytes(raw)
        os.chown(written, *self.owner)
        os.utime(written, (received_at.timestamp(), received_at.timestamp()))
        written.rename(box / "new" / name)


@contextmanager
def dovecot_server() -> Iterator[Dovecot]:
    """Run a Dovecot, as root or as anybody, or skip where there is none."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        absent("Dovecot", "install dovecot-imapd")
    if shutil.which("openssl") is None:
        absent("openssl", "install openssl, which makes Dovecot's certificate")
    with ExitStack() as stack:
        folder = stack.enter_context(private_folder("dovecot"))
        server = _configured(folder)
        command = [program, "-F", "-c", str(folder / "dovecot.conf")]
        stack.enter_context(running(command, port=server.port, log=folder / "start.log"))
        yield server


def _configured(folder: Path) -> Dovecot:
    root = os.geteuid() == 0
    owner, group = (65534, 65534) if root else (os.geteuid(), os.getegid())
    for name in ("run", "state", "mail"):
        (folder / name).mkdir()
    os.chown(folder / "mail", owner, group)
    (folder / "password").write_text(PASSWORD)
    _make_certificate(folder)
    server = Dovecot(
        folder=folder,
        port=free_port(),
        tls_port=free_port(),
        certificate=folder / "certificate.pem",
        owner=(owner, group),
    )
    text = _CONFIGURATION.format(
        folder=folder,
        host=server.host,
        port=server.port,
        tls_port=server.tls_port,
        owner=owner,
        group=group,
        password=PASSWORD,
        rights="" if root else _WITHOUT_ROOT.format(me=pwd.getpwuid(owner).pw_name, group=grp.getgrgid(group).gr_name),
        chroot="" if root else "chroot =",
    )
    (folder / "dovecot.conf").write_text(text)
    return server


def _make_certificate(folder: Path) -> None:
    names = "subjectAltName=DNS:localhost"
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(
        ["openssl", *request, "-subj", "/CN=localhost", "-addext", names, *files], check=True, capture_output=True
    )
