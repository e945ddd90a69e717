"""Secrets that the database keeps, encrypted by a key that lies in a file outside of it."""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from mailbot.errors import InputError


class SealError(InputError):
    """The key file is missing, or is not the one that a secret was encrypted with."""


def make_key(file: Path) -> None:
    """Make the key file, readable by its owner only; one that is there stays as it is."""
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as problem:
        raise SealError(f"[secrets] key_file {file}: {problem.strerror}") from None
    with os.fdopen(number, "wb") as opened:
        opened.write(Fernet.generate_key())
        opened.flush()
        os.fsync(opened.fileno())


def seal(file: Path, secret: str) -> bytes:
    """Encrypt a secret.

    Raises:
        SealError: the key file is missing or no key.
    """
    return _lock(file).encrypt(secret.encode("utf-8"))


def unseal(file: Path, sealed: bytes, what: str) -> str:
    """Decrypt a secret; ``what`` names it for people.

    Raises:
        SealError: the key file is missing, or the secret was encrypted with another key.
    """
    try:
        return _lock(file).decrypt(sealed).decode("utf-8")
    except InvalidToken:
        raise SealError(f"[secrets] key_file {file} is not the key that {what} is kept by") from None


def _lock(file: Path) -> Fernet:
    try:
        return Fernet(file.read_bytes())
    except OSError as problem:
        raise SealError(
            f"[secrets] key_file {file}: {problem.strerror}; the first sign-in that is stored makes it"
        ) from None
    except ValueError:
        raise SealError(f"[secrets] key_file {file} holds no key") from None
