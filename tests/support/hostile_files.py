"""Files that cost or mean far more than they show, for tests of limits and messages."""

import io
import re
import zipfile
from pathlib import Path

import openpyxl

Rows = list[tuple]


def workbook_bytes(rows: Rows, title: str = "Orders") -> bytes:
    """A workbook with one sheet."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def with_sheet(content: bytes, old: bytes, new: bytes) -> bytes:
    """A workbook in whose first sheet's XML a text is replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as read, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            text = read.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert old in text
                text = text.replace(old, new)
            written.writestr(name, text)
    return out.getvalue()


def with_far_cell(rows: Rows, cell: str, value: str = "x") -> bytes:
    """A workbook with one more filled cell somewhere."""
    row = re.sub(r"\D", "", cell)
    far = f'<row r="{row}"><c r="{cell}" t="inlineStr"><is><t>{value}</t></is></c></row></sheetData>'
    return with_sheet(workbook_bytes(rows), b"</sheetData>", far.encode())


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
