"""Kill `make report` at random moments, stop it by Ctrl-C, and measure a run that has nothing to do.

`python benchmarks/kill.py [KILLS]` (default 50) works in a temporary folder on a report with one date and two short
notebooks. Each round changes the report, starts a run, kills it by SIGKILL after a random time (seeded, spread over a
whole run), and starts the next run with notebooks that fail. Then it checks that only the complete old or the complete
new date is published, and that no kernel is left.
"""

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
DAY = Path("reports/cdnow/1998-06-30")
SHORT = (
    "import shutil; from pathlib import Path; shutil.copytree(Path(run_dir) / '../../../tables', Path(run_dir) "
    "/ 'data', dirs_exist_ok=True)"
)
HEADLINE = "from IPython.display import HTML; HTML('<p>found</p>')"


def start(project: Path) -> subprocess.Popen:
    """Start `make report` in a project."""
    return subprocess.Popen(
        [sys.executable, "-m", "crm_utils", "report"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def finished(project: Path) -> float:
    """Run to the end; return the seconds."""
    began = time.perf_counter()
    start(project).wait()
    return time.perf_counter() - began


def cell(source: str, tag: str) -> dict:
    """Return a code cell with a tag."""
    code = {"cell_type": "code", "id": tag, "metadata": {"tags": [tag]}, "outputs": [], "execution_count": None}
    return code | {"source": source}


def shorten(project: Path) -> None:
    """Replace the notebooks by two short ones, which pass on the tables of the original notebooks."""
    shutil.copytree(project / DAY / "data", project / "tables")
    first, second, *others = sorted((project / "notebooks").glob("*.ipynb"))
    for path in others:
        path.unlink()
    for path in (first, second):
        book = json.loads(path.read_text())
        parameters = next(c for c in book["cells"] if "parameters" in c["metadata"].get("tags", []))
        title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {path.stem}"}
        book["cells"] = [title, parameters, cell(SHORT, "made"), cell(HEADLINE, "headline")]
        path.write_text(json.dumps(book))


def set_title(project: Path, title: str) -> None:
    """Change the title of the report, so that its pages are built again."""
    params = project / "params" / "cdnow.yaml"
    lines = params.read_text().splitlines()
    params.write_text("\n".join(f"title: {title}" if line.startswith("title:") else line for line in lines) + "\n")


def contents(project: Path) -> dict[str, bytes]:
    """Return the bytes of every published file except the manifest."""
    folder = project / DAY
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def whole(project: Path, versions: list[dict[str, bytes]]) -> bool:
    """Whether exactly one complete version is published, nothing else is left, and no process still runs."""
    names = sorted(path.name for path in (project / "reports" / "cdnow").iterdir() if not path.name.endswith(".failed"))
    top = sorted(path.name for path in (project / "reports").iterdir())
    there = names == [".lock", DAY.name] and top == [".lock", "_logs", "cdnow", "how-to-read.html", "index.html"]
    return there and contents(project) in versions and not strays(project)


def strays(project: Path) -> list[psutil.Process]:
    """Processes that still work below the project five seconds later."""
    return psutil.wait_procs(working_in(project), timeout=5)[1]


def working_in(folder: Path) -> list[psutil.Process]:
    """Return the processes that work in a folder."""
    return [process for process in psutil.process_iter(["cwd"]) if str(folder) in str(process.info["cwd"])]


def broken(project: Path) -> None:
    """Let the next run start with notebooks that fail at once, so that it can only clean up."""
    kept = {path: path.read_text() for path in (project / "notebooks").glob("*.ipynb")}
    for path, text in kept.items():
        path.write_text(text.replace("import shutil", "1 / 0; import shutil"))
    finished(project)
    for path, text in kept.items():
        path.write_text(text)


def stopped(project: Path) -> float:
    """Seconds from Ctrl-C, while a kernel runs, to the end of the last process."""
    run = start(project)
    while run.poll() is None and not working_in(project / "reports"):
        time.sleep(0.02)
    below = psutil.Process(run.pid).children(recursive=True)
    began = time.perf_counter()
    run.send_signal(signal.SIGINT)
    run.wait()
    psutil.wait_procs(below, timeout=30)
    return time.perf_counter() - began


def prepare(project: Path) -> None:
    """Make a project with one report of one date."""
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, project / name)
    for path in (project / "params").glob("*.yaml"):
        if path.stem not in ("cdnow", "campaigns"):
            path.unlink()
    params = project / "params" / "cdnow.yaml"
    params.write_text(
        params.read_text().replace('["1997-06-30", "1997-09-30", "1997-12-31", "1998-06-30"]', '["1998-06-30"]')
    )
    finished(project)
    shorten(project)


def main(kills: int) -> None:
    """Kill and stop runs, and print how many left a whole report."""
    project = Path(tempfile.mkdtemp(prefix="kill-")) / "project"
    project.mkdir()
    prepare(project)
    versions, seconds = [], []
    for title in ("One", "Two"):
        set_title(project, title)
        seconds.append(finished(project))
        versions.append(contents(project))
    moments = random.Random(8)
    good, killed = 0, 0
    for _ in range(kills):
        set_title(project, "Two" if contents(project) == versions[0] else "One")
        run = start(project)
        time.sleep(moments.uniform(0.1, max(seconds) * 1.05))
        killed += run.poll() is None
        run.kill()
        run.wait()
        broken(project)
        good += whole(project, versions)
    finished(project)
    idle = statistics.median(finished(project) for _ in range(5))
    set_title(project, "Three")
    print(
        f"killed at random moments: {killed} of {kills} runs were alive; whole reports after the next start: "
        f"{good} of {kills}"
    )
    print(f"Ctrl-C to the end of the last process: {stopped(project):.1f} s (promised: 5)")
    print(f"make report with nothing to do: {idle:.2f} s (promised: 1.5)")
    shutil.rmtree(project.parent)
    sys.exit(good != kills)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
