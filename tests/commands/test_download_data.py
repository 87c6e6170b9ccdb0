"""Download Online Retail II from a local server: complete and verified, or nothing."""

import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openpyxl
import pytest

from crm_utils.commands.download_data import FILE, download_online_retail
from crm_utils.core.errors import DownloadFailed, SourceError

ROWS = {"Year 2009-2010": 3, "Year 2010-2011": 2}


def workbook(rows: dict[str, int] = ROWS) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, number in rows.items():
        sheet = book.create_sheet(name)
        for row in range(number + 1):
            sheet.append([f"Invoice {row}", row])
    book.save(out)
    return out.getvalue()


def packed(content: bytes, name: str = FILE) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def serve(monkeypatch):
    """Serve bytes on 127.0.0.1 and return the URL; `cut` closes the connection half-way."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = []

    def start(content: bytes, status: int = 200, cut: bool = False) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if cut else content)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/502.zip"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_the_workbook_is_unpacked_and_verified(serve, tmp_path, capsys):
    path = download_online_retail(tmp_path / "data", serve(packed(workbook())), ROWS)
    assert path == tmp_path / "data" / FILE
    assert path.read_bytes()[:2] == b"PK"
    assert [other.name for other in path.parent.iterdir()] == [FILE]
    assert "100%" in capsys.readouterr().err  # the progress bar


def test_an_existing_workbook_is_not_downloaded_again(tmp_path):
    (tmp_path / FILE).write_bytes(workbook())
    assert download_online_retail(tmp_path, "http://127.0.0.1:9/nothing", ROWS) == tmp_path / FILE


@pytest.mark.parametrize(
    ("content", "how", "words"),
    [
        (
            packed(workbook({"Year 2009-2010": 3, "Year 2010-2011": 1})),
            {},
            ["'Year 2010-2011' 1", "'Year 2010-2011' 2"],
        ),
        (packed(workbook({"Year 2009-2010": 3})), {}, ["instead of", "'Year 2010-2011' 2"]),
        (packed(workbook()), {"cut": True}, ["was lost after", "try again"]),
        (packed(workbook())[:-50], {}, ["not a valid zip file"]),
        (b"<html>moved</html>", {}, ["not a valid zip file"]),
        (packed(b"x", "readme.txt"), {}, ["contains no spreadsheet, only readme.txt"]),
        (packed(b"PK no workbook"), {}, ["online_retail_II.xlsx cannot be read as a spreadsheet", "try again"]),
        (b"", {"status": 404}, ["404", "with a browser"]),
        (b"", {"status": 503}, ["503"]),
    ],
)
def test_a_failed_download_says_why_and_leaves_no_file(serve, tmp_path, content, how, words):
    (tmp_path / "mine.csv").write_text("untouched")
    with pytest.raises(SourceError) as error:
        download_online_retail(tmp_path, serve(content, **how), ROWS)
    assert [word for word in words if word not in str(error.value)] == [], str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_no_connection(serve, tmp_path):
    with pytest.raises(DownloadFailed, match="cannot be downloaded"):
        download_online_retail(tmp_path / "data", "http://127.0.0.1:9/502.zip", ROWS)
    assert list((tmp_path / "data").iterdir()) == []


def test_the_real_workbook_has_the_expected_rows(retail):
    if Path(retail / FILE).exists():
        assert download_online_retail(retail) == retail / FILE
