"""Guess the encoding of a text file: UTF-8 and UTF-16 from its bytes, others from the decoded letters."""

import codecs
import gzip
import io
import re
from pathlib import Path

from crm_utils.core.errors import SourceError

CHUNK = 1 << 22
SAMPLE_BYTES = 1 << 16
LETTERS = {  # the usual non-ASCII characters in each single-byte encoding of Latin letters
    "windows-1252": "äöüÄÖÜßéèêëÉÈÊàâÀÂçÇñÑóòôõöÓÔÕíìîïÍúùûÚáãÁÃåÅæÆøØœŒ£€’‘“”„–—…°²³½·«»¡¿§®©™ªº\u00a0ÿ´",
    "windows-1254": "ğĞıİşŞçÇöÖüÜâîûÂ’‘“”–—…€₺\u00a0",
    "mac_roman": "äöüÄÖÜßéèêëÉàâçÇñÑóòôõíìîïúùûáãåÅæÆøØœ£€’‘“”„–—…°«»¡¿§®©™\u00a0",
    "windows-1250": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽäöüÄÖÜßőűŐŰľĺŕôăâîșțţşĂÂÎŞŢ€„”“’–—…°§\u00a0",
}
OTHERS = {  # charset-normalizer's name, and the one we write
    "cp932": "cp932",
    "gb18030": "gb18030",
    "cp949": "cp949",
    "big5": "big5",
    "cp1251": "windows-1251",
    "koi8_r": "koi8-r",
    "cp1253": "windows-1253",
    "cp1255": "windows-1255",
    "cp1256": "windows-1256",
}
MISPLACED = re.compile(r"(?<=[^\W\d_])[‘“„‚†‡ˆ‰•˜]")  # an opening sign in a word is a letter of another encoding
FOREIGN_WORDS = 0.5  # share of words without any ASCII letter: above it the script is not Latin
DENSE, FEWEST_LETTERS = 0.6, 8  # the same for non-ASCII letters among all letters of such words, if there are enough


def open_text(path: Path, encoding: str, newline: str | None = "") -> io.TextIOBase:
    """Open a text file for reading, also if it is compressed with gzip."""
    if is_packed(path):
        return gzip.open(path, "rt", encoding=encoding, newline=newline)
    return path.open(encoding=encoding, newline=newline)


def open_bytes(path: Path) -> io.BufferedIOBase:
    """Open a file for reading bytes, decompressed if it is compressed with gzip."""
    return gzip.open(path, "rb") if is_packed(path) else path.open("rb")


def check_encoding(encoding: str | None) -> None:
    """Raise `SourceError` if Python has no encoding of text with this name."""
    try:
        found = codecs.lookup(encoding or "utf-8")
        b"a".decode(found.name, errors="replace")  # not all of Python's encodings are of text
    except (LookupError, ValueError):
        raise SourceError(f"source.encoding: Python has no encoding {encoding!r}; try windows-1252 or utf-16") from None


def is_packed(path: Path) -> bool:
    """Tell from its name whether a file is compressed with gzip."""
    return path.suffix.lower() == ".gz"


def guess_encoding(path: Path) -> str | None:
    """Guess a text file's encoding: None for UTF-8, else the one whose letters look most like text."""
    if encoding := _utf16(path):
        return encoding
    try:
        with open_text(path, "utf-8") as text:
            while text.read(CHUNK):
                pass
    except UnicodeDecodeError:
        return _guess(_strange_lines(path))
    return None


def not_utf8_message(path: Path) -> str:
    """Write the message for a text file that is not UTF-8: the first such line, and what to set."""
    if encoding := _utf16(path):
        return f"{path.name} is written in UTF-16; set source.encoding: {encoding}"
    encoding = _guess(_strange_lines(path))
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data" and line.count(b"\n") == 0:
                    return f"{path.name} ends within a letter, so it is incomplete; copy or export it again"
                example = line.decode(encoding, errors="replace").strip()[:60]
                return (
                    f"{path.name} is not written in UTF-8 (first in line {number:,}: {example!r}, "
                    f"read as {encoding}); set source.encoding, for example {encoding}"
                )
    return f"{path.name} cannot be read as text; set source.encoding"


def _guess(strange: bytes) -> str:
    fits = {encoding: _share(strange, encoding) for encoding in LETTERS}
    best = max(fits, key=lambda encoding: fits[encoding])  # the first of equals is the most common
    if fits[best] > 0.9:
        return best
    from charset_normalizer import from_bytes  # only for scripts other than Latin

    found = from_bytes(strange, cp_isolation=list(OTHERS)).best()
    return OTHERS[found.encoding] if found and found.encoding in OTHERS else best


def _share(strange: bytes, encoding: str) -> float:
    """Return the share of non-ASCII letters that the languages of an encoding use; 0 for another script."""
    text = strange.decode(encoding, errors="replace")
    letters = [letter for letter in text if not letter.isascii()]
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    foreign = sum(len(word) > 2 and not any(map(str.isascii, word)) for word in words) / max(len(words), 1)
    together = "".join(words)
    dense = sum(not letter.isascii() for letter in together) > DENSE * len(together) >= DENSE * FEWEST_LETTERS
    if not letters or foreign > FOREIGN_WORDS or dense:
        return 0
    return (sum(letter in LETTERS[encoding] for letter in letters) - len(MISPLACED.findall(text))) / len(letters)


def _strange_lines(path: Path) -> bytes:
    """Read lines that are not ASCII, as many as a guess needs."""
    found = b""
    with open_bytes(path) as file:
        for line in file:
            if not line.isascii():
                found += line
                if len(found) > SAMPLE_BYTES:
                    break
    return found


def _utf16(path: Path) -> str | None:
    """Return the kind of UTF-16, with or without a byte order mark; None for another encoding."""
    with open_bytes(path) as file:
        start = file.read(64)
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if start.count(0) < len(start) / 4 or not start:  # a single one is a wrong character
        return None
    return "utf-16-be" if start[0] == 0 else "utf-16-le"
