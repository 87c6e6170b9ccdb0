"""Download Online Retail II from the UCI repository and check it."""

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
TIMEOUT = 60  # seconds without any data


def download_online_retail(folder: Path, url: str = URL, rows: dict[str, int] = ROWS) -> Path:
    """Return the workbook in `folder`; download it if it does not exist. Its sheets have exactly `rows`.

    Raises `DownloadFailed` and leaves `folder` unchanged if that fails.
    """
    path = folder / FILE
    if path.exists():
        _verify(path, rows, "remove it from data/ and try again")
        return path
    with atomic_write(path) as building:
        archive_path = building.with_name(building.name + ".zip")
        try:
            _fetch(url, archive_path)
            _unpack(archive_path, building, url)
        finally:
            archive_path.unlink(missing_ok=True)
        _verify(building, rows, f"the data at {url} have changed; try again, or {_manual_download()}")
    return path


def _fetch(url: str, target: Path) -> None:
    from tqdm import tqdm

    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response, target.open("wb") as file:
            size = int(response.headers.get("Content-Length") or 0)
            with tqdm(total=size or None, unit="B", unit_scale=True, desc=FILE) as progress:
                while chunk := response.read(CHUNK):
                    file.write(chunk)
                    progress.update(len(chunk))
    except (urllib.error.URLError, OSError) as error:  # a timeout or a closed connection is an OSError
        raise DownloadFailed(f"{url} cannot be downloaded ({error}); try again, or {_manual_download()}") from None
    if size and target.stat().st_size != size:
        raise DownloadFailed(
            f"the connection to {url} was lost after {MESSAGES.count(target.stat().st_size)} of "
            f"{MESSAGES.count(size)} bytes; try again"
        )


def _unpack(archive_path: Path, target: Path, url: str) -> None:
    try:
        with zipfile.ZipFile(archive_path) as archive:
            workbooks = [name for name in archive.namelist() if name.endswith(".xlsx")]
            if not workbooks:
                raise DownloadFailed(
                    f"{url} contains no spreadsheet, only {', '.join(archive.namelist()[:3])}; {_manual_download()}"
                )
            with archive.open(workbooks[0]) as file, target.open("wb") as out:
                shutil.copyfileobj(file, out)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise DownloadFailed(f"{url} is not a valid zip file; try again, or {_manual_download()}") from None


def _verify(path: Path, rows: dict[str, int], remedy: str) -> None:
    from crm_utils.sources import spreadsheets

    try:
        actual = {name: below for name, (_, below, *_) in spreadsheets.sheet_shapes(path).items()}
    except SourceError:
        raise DownloadFailed(f"{FILE} cannot be read as a spreadsheet; {remedy}") from None
    if actual != rows:
        actual_text = ", ".join(f"{name!r} {MESSAGES.count(number)}" for name, number in actual.items())
        expected_text = ", ".join(f"{name!r} {MESSAGES.count(number)}" for name, number in rows.items())
        raise DownloadFailed(
            f"{FILE} has an unexpected number of rows ({actual_text} instead of {expected_text}); {remedy}"
        )


def _manual_download() -> str:
    return f"download data set 502 from UCI with a browser and put {FILE} into data/"
