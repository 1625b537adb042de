"""Text of a file, plain, gzip or zip, with a limit on its size."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import deflate

from strikeloom.errors import BadFile

#: A day of contracts is 8 MB, ten years of stacked cash 150 MB.
MOST_BYTES = 256 * 1024 * 1024
MOST_HEADER = 8192
_GZIP, _ZIP = b"\x1f\x8b", b"PK"
_ARCHIVES = {_ZIP: "a zip archive", _GZIP: "a gzip file", b"\xfd7zXZ": "an xz archive"}
_BROKEN = (
    EOFError,
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,  # a directory that points outside the file
    RuntimeError,  # an encrypted archive, or a compression that this Python does not know
)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file on disk, packed or plain.

    Attributes
    ----------
    name : str
        Folder and name, for messages and as the source of its rows.
    """

    path: Path
    name: str
    raw: bytes

    def head(self) -> bytes:
        """Return the beginning of the text, at least the header line of a valid file.

        Raises
        ------
        BadFile
            When the archive is damaged, encrypted or holds several files.
        """
        with self._opened() as stream:
            head = stream.read(MOST_HEADER)
        for begins, what in _ARCHIVES.items():
            if head.startswith(begins):
                raise self._bad(f"it holds {what}, expected a CSV file; unpack it and import that")
        return head

    def body(self) -> bytes | bytearray:
        """Return the whole text, checked against the archive's own checksum.

        Raises
        ------
        BadFile
            As ``head``, and when the text is larger than any valid file.
        """
        text = self._unzipped()
        if text is not None:
            return text
        with self._opened() as stream:
            body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise self._bad(f"it holds more than {MOST_BYTES // 2**20} MB of text; split it")
        return body

    def _unzipped(self) -> bytearray | None:
        """Text of a sound zip archive in one call, in a quarter of the time that reading it takes.

        ``None`` for every other file: reading it then finds what is wrong with it.
        """
        if not self.raw.startswith(_ZIP):
            return None
        stream = io.BytesIO(self.raw)
        with suppress(*_BROKEN, deflate.DeflateError):
            with zipfile.ZipFile(stream) as archive:
                item = self._only(archive)
                archive.open(item).close()  # checks the header and leaves the stream behind it
                packed = stream.read(item.compress_size)
            if item.compress_type == zipfile.ZIP_DEFLATED:
                text = deflate.deflate_decompress(packed, item.file_size)
                if len(text) == item.file_size and deflate.crc32(text) == item.CRC:
                    return text
        return None

    @contextmanager
    def _opened(self) -> Iterator[_Readable]:
        stream = io.BytesIO(self.raw)
        try:
            if self.raw.startswith(_GZIP):
                with gzip.GzipFile(fileobj=stream) as text:
                    yield text
            elif self.raw.startswith(_ZIP):
                with zipfile.ZipFile(stream) as archive, archive.open(self._only(archive)) as text:
                    yield text
            else:
                yield stream
        except _BROKEN as error:
            raise self._bad(f"the archive is damaged or locked ({error}); download it again") from (
                error
            )

    def _only(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        inside = [item for item in archive.infolist() if not item.is_dir()]
        if len(inside) != 1:
            raise self._bad(f"it holds {len(inside)} files, expected one; unpack it and import all")
        if inside[0].file_size > MOST_BYTES:
            raise self._bad(f"it unpacks to {inside[0].file_size} bytes; split it")
        return inside[0]

    def _bad(self, why: str) -> BadFile:
        return BadFile(f"{self.name}: {why}", path=str(self.path))


def read_packed(path: Path) -> PackedFile:
    """Read a file from disk.

    Raises
    ------
    BadFile
        When it is absent, empty, unreadable or too large.
    """
    name = "/".join(path.absolute().parts[-2:])
    try:
        if not path.exists():
            raise BadFile(
                f"{path}: there is no such file or folder; name the exchange's files, or get them "
                "with strikeloom data fetch --from DAY",
                path=str(path),
            )
        if not path.is_file():
            what = "a folder without files" if path.is_dir() else "not a regular file"
            raise BadFile(f"{name}: {what}", path=str(path))
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise BadFile(f"{name}: {size} bytes; split it", path=str(path))
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{name}: cannot be read ({error.strerror})", path=str(path)) from error
    if not raw:
        raise BadFile(f"{name}: line 1 is missing, the file is empty", path=str(path))
    return PackedFile(path, name, raw)


def files_below(paths: Iterable[Path]) -> list[Path]:
    """Paths given, and every file in folders given, each once, ascending.

    Hidden files and folders are left out and links to folders are not followed. A folder
    without files is returned itself, so that opening it reports the error.
    """
    found: set[Path] = set()
    for path in paths:
        inside = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
        visible = {item for item in inside if not _hidden(item.relative_to(path))}
        found |= visible or {path}
    return sorted(found)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
