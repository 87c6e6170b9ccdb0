"""Say what a file really is that its name does not tell: a web page, a workbook, a database, a pointer, a cut copy."""

import re
from pathlib import Path

START, END = 4096, 256  # bytes that are looked at
DOWNLOAD = "open the export again in your browser, log in, and save the file itself"
# What a file begins with, what it is then, and what to do
KINDS: list[tuple[bytes, str, str]] = [
    (rb"\0+$", "full of zero bytes", "copy or export it again"),
    (rb"PK\x03\x04.*?\bxl/", "a workbook", "rename it to .xlsx"),
    (rb"PK\x03\x04", "a zip archive", "unpack it, and name the file inside"),
    (rb"\xd0\xcf\x11\xe0", "a workbook of an old kind, or one with a password", "save it as .xlsx without a password"),
    (rb"\x1f\x8b", "packed with gzip", "rename it so that it ends in .gz, or unpack it"),
    (rb"PAR1[\x00-\x1f]", "a parquet file", "rename it to .parquet"),
    (rb"SQLite format 3\0", "an SQLite database", "name it as source.database: sqlite://<file>"),
    (rb"%PDF", "a PDF document", "export the table as csv"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a", "an image", "export the table as csv"),
    (rb"\s*<(!doctype html|html|head|body|table)\b", "a web page", DOWNLOAD),
    (rb"\s*<(\?xml|\w+[ >])", "an XML document", "export the table as csv"),
    (rb"\s*[\[{]\s*[\[{\"]", "JSON", "export the table as csv"),
    (rb"version https://git-lfs\.github\.com", "a pointer of Git LFS", "fetch the data with `git lfs pull`"),
    (
        rb"\s*(INSERT INTO|CREATE TABLE|--.*\n\s*(CREATE|INSERT|SET)) ",
        "a dump of a database",
        "export the table as csv",
    ),
]
CONTROL, MOST_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]"), 0.05
CONFLICT = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)


def describe_kind(path: Path) -> str | None:
    """Return what a file is and what to do if it is no table in text; None if it may be one."""
    with path.open("rb") as file:
        start = file.read(START)
        file.seek(max(0, path.stat().st_size - END))
        end = file.read()
    for pattern, kind, cure in KINDS:
        if re.match(pattern, start, flags=re.DOTALL | re.IGNORECASE):
            return f"is {kind}; {cure}"
    if CONFLICT.search(start) or CONFLICT.search(end):
        return "has the marks of a merge conflict (<<<<<<<, >>>>>>>); decide which lines stay, and remove the marks"
    if start.count(0) < len(start) / 4 and len(CONTROL.findall(start)) > MOST_CONTROL * len(start):  # else UTF-16
        return "is not text; export the table as csv"
    return None
