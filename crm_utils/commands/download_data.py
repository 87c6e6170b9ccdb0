"""Online Retail II from the UCI repository, checked before it is put into place."""

import shutil
import urllib.error
import urllib.request
import zipfile
import zlib
from pathlib import Path

from crm_utils.core.errors import DownloadFailed, SourceError
from crm_utils.core.files import atomic_write
from crm_utils.core.formatting import MESSAGES

URL = "https://archive.ics.uci.edu/static/public/502/online+retail+ii.zip"
FILE = "online_retail_II.xlsx"
ROWS = {"Year 2009-2010": 525_461, "Year 2010-2011": 541_910}
CHUNK = 1 << 16
TIMEOUT = 60  # seconds without a byte


def download_online_retail(folder: Path, url: str = URL, rows: dict[str, int] = ROWS) -> Path:
    """The workbook in `folder`, downloaded where it is not there yet; its sheets hold exactly `rows`.

    Raises `DownloadFailed`, and leaves `folder` as it was.
    """
    path = folder / FILE
    if path.exists():
        _verify(path, rows, "remove it from data/ and try again")
        return path
    with atomic_write(path) as building:
        packed = building.with_name(building.name + ".zip")
        try:
            _fetch(url, packed)
            _unpack(packed, building, url)
        finally:
            packed.unlink(missing_ok=True)
        _verify(building, rows, f"what {url} holds is not what it was: try again, or {_by_hand()}")
    return path


def _fetch(url: str, target: Path) -> None:
    from tqdm import tqdm

    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer, target.open("wb") as file:
            size = int(answer.headers.get("Content-Length") or 0)
            with tqdm(total=size or None, unit="B", unit_scale=True, desc=FILE) as progress:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    progress.update(len(chunk))
    except (urllib.error.URLError, OSError) as error:  # a time-out and a closed connection are OSErrors
        raise DownloadFailed(f"{url} cannot be downloaded ({error}): try again, or {_by_hand()}") from None
    if size and target.stat().st_size != size:
        raise DownloadFailed(
            f"the connection to {url} broke off after {MESSAGES.count(target.stat().st_size)} of "
            f"{MESSAGES.count(size)} bytes: try again"
        )


def _unpack(packed: Path, target: Path, url: str) -> None:
    try:
        with zipfile.ZipFile(packed) as archive:
            inside = [name for name in archive.namelist() if name.endswith(".xlsx")]
            if not inside:
                raise DownloadFailed(
                    f"{url} holds no spreadsheet but {', '.join(archive.namelist()[:3])}: {_by_hand()}"
                )
            with archive.open(inside[0]) as file, target.open("wb") as out:
                shutil.copyfileobj(file, out)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise DownloadFailed(f"{url} is no zip file, or a damaged one: try again, or {_by_hand()}") from None


def _verify(path: Path, rows: dict[str, int], cure: str) -> None:
    from crm_utils.sources import spreadsheets

    try:
        found = {name: below for name, (_, below) in spreadsheets.sheet_shapes(path).items()}
    except SourceError:
        raise DownloadFailed(f"{FILE} cannot be read as a spreadsheet: {cure}") from None
    if found != rows:
        told = ", ".join(f"{name!r} {MESSAGES.count(number)}" for name, number in found.items())
        wanted = ", ".join(f"{name!r} {MESSAGES.count(number)}" for name, number in rows.items())
        raise DownloadFailed(f"{FILE} has rows {told} where {wanted} are expected: {cure}")


def _by_hand() -> str:
    return f"fetch it with a browser from UCI, data set 502, and put {FILE} into data/"
