"""LibreOffice without a window, to see what a spreadsheet program makes of our files."""

import shutil
import subprocess
from pathlib import Path

from tests.support.projects import skip_or_fail


def convert(files: list[Path], folder: Path, target: str = "xlsx", infilter: str | None = None) -> list[Path]:
    """Open files and save them in another folder, formulas computed. One call for all: a start takes seconds.

    `infilter` says how the files are read: the choices in the dialogue that opens a csv.
    """
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        skip_or_fail("LibreOffice is not installed (Debian: apt-get install libreoffice-calc)")
    profile = f"-env:UserInstallation=file://{folder}/profile"  # two processes cannot share one
    chosen = [f"--infilter={infilter}"] if infilter else []
    done = subprocess.run(
        [program, profile, "--headless", "--convert-to", target, *chosen, "--outdir", folder, *files],
        capture_output=True,
        text=True,
        timeout=180,
    )
    written = [folder / f"{path.stem}.{target.partition(':')[0]}" for path in files]
    assert all(path.exists() for path in written), done.stdout + done.stderr
    return written
