"""Bytes of a file, whether plain, gzip or zip, and bounded in size."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from strikeloom.errors import BadFile

MOST_BYTES = 512 * 1024 * 1024
_IGNORED = (".json", ".md", ".txt", ".xz", ".part")


def files_below(paths: Iterable[Path]) -> list[Path]:
    """Files named, and those in folders named, sorted; hidden ones left out.

    Raises
    ------
    BadFile
        When a path does not exist.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise BadFile(f"{path} does not exist", path=str(path))
        inside = path.rglob("*") if path.is_dir() else [path]
        found |= {
            item
            for item in inside
            if item.is_file() and not item.name.startswith(".") and item.suffix not in _IGNORED
        }
    return sorted(found)


def read_bytes(path: Path) -> bytes:
    """Content of the one table in a file.

    Raises
    ------
    BadFile
        When the file is damaged, too large, or a zip of several tables.
    """
    raw = path.read_bytes()
    try:
        if raw[:2] == b"\x1f\x8b":
            return _bounded(gzip.GzipFile(fileobj=io.BytesIO(raw)), path)
        if raw[:2] == b"PK":
            return _unzipped(raw, path)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BadFile(
            f"{path.name}: the archive is damaged ({error}); download it again", path=str(path)
        ) from error
    if len(raw) > MOST_BYTES:
        raise BadFile(f"{path.name}: {len(raw)} bytes, more than any daily file", path=str(path))
    return raw


def _unzipped(raw: bytes, path: Path) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        if len(names) != 1:
            raise BadFile(f"{path.name}: holds {len(names)} files, expected one", path=str(path))
        with archive.open(names[0]) as inner:
            return _bounded(inner, path)


def _bounded(stream: object, path: Path) -> bytes:
    body: bytes = stream.read(MOST_BYTES + 1)  # type: ignore[attr-defined]
    if len(body) > MOST_BYTES:
        raise BadFile(f"{path.name}: unpacks to more than {MOST_BYTES} bytes", path=str(path))
    return body
