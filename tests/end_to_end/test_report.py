"""The whole: from parameters to published pages, what reruns, what fails and what stays."""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pandas as pd
import psutil
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from crm_utils.pipeline import atomic_publish, cache_keys, manifest, staleness
from crm_utils.pipeline.cache_keys import FingerprintedJob
from crm_utils.pipeline.jobs import plan_jobs
from tests.support.in_process import prepared
from tests.support.page_words import too_long
from tests.support.projects import DAY, ROOT, append_cells, contents, edit, new_project, run

STAGES = ["01_cleaning.html", "02_rfm.html", "03_segmentation.html", "04_cltv.html", "05_budget.html"]
PAGES = [*STAGES, "customers.html", "index.html"]


class Links(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.hrefs, self.ids = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.ids.add(attributes.get("id"))
        if tag == "a" and attributes.get("href"):
            self.hrefs.append(attributes["href"])


def broken_links(reports: Path) -> list[str]:
    pages = {path.resolve(): Links(path.read_text()) for path in reports.rglob("*.html")}
    broken = []
    for path, links in pages.items():
        for href in links.hrefs:
            file, _, anchor = href.partition("#")
            target = (path.parent / file).resolve() if file else path
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].ids):
                broken.append(f"{path.name}: {href}")
    return broken


def test_a_report_has_all_its_pages_tables_and_links(built):
    assert sorted(path.name for path in (built / DAY).glob("*.html")) == PAGES
    assert broken_links(built / "reports") == []
    tables = {path.stem for path in (built / DAY / "data").glob("*.parquet")}
    assert tables == {
        "order_adjustments",
        "acquisition",
        "backtest",
        "budget",
        "budget_calendar",
        "budget_gates",
        "budget_lines",
        "business",
        "cleaning_ledger",
        "cltv",
        "contact_plan",
        "customers",
        "example_customer_lines",
        "forecast",
        "history",
        "customer_features",
        "fitted_parameters",
        "orders",
        "segment_migration",
        "segment_profile",
        "segments",
        "unmatched_cancellations",
    }
    assert not list((built / "reports").rglob("*.building"))


def test_totals_agree_from_the_ledger_to_the_customers(built):
    data = built / DAY / "data"
    left = pd.read_parquet(data / "cleaning_ledger.parquet").revenue_left.iloc[-1]
    for table in ("orders", "customers", "segment_profile"):
        assert pd.read_parquet(data / f"{table}.parquet").revenue.sum() == pytest.approx(left, abs=0.01), table


@pytest.mark.parametrize("months", [1, 3, 6, 12])
def test_forecasts_agree_from_the_list_of_customers_to_the_whole_business(built, months):
    data = built / DAY / "data"
    customers, forecast, business = (pd.read_parquet(data / f"{t}.parquet") for t in ("cltv", "forecast", "business"))
    listed = pd.read_csv(built / DAY / "lists" / "customer-values.csv")
    rows = forecast[forecast.months == months].set_index("segment")
    for measure in ("revenue", "purchase_days"):
        total, column = rows.pop(measure), f"expected_{measure}_{months}m"
        assert total.drop("all").sum() == pytest.approx(total["all"], abs=0.01)
        assert customers[column].sum() == pytest.approx(total["all"], abs=0.01)
        assert listed[column].sum() == pytest.approx(total["all"], abs=0.01)
        by_segment = listed.groupby("segment")[column].sum()
        assert by_segment.to_dict() == pytest.approx(total.drop("all").to_dict(), abs=0.01)
        if measure == "revenue":
            known = business.set_index("months").revenue_known[months]
            assert known == pytest.approx(total["all"], abs=0.01)
            if months == 12:
                assert f"${total['all']:,.0f}" in (built / DAY / "04_cltv.html").read_text()


def test_the_lines_of_the_customer_worked_by_hand_add_up_to_their_orders(built):
    data = built / DAY / "data"
    lines, orders = (pd.read_parquet(data / f"{table}.parquet") for table in ("example_customer_lines", "orders"))
    counted = lines[lines.removed_by.isna()].groupby("order_id").amount.sum()
    own = orders[orders.customer_id.isin(lines.customer_id)].set_index("order_id").revenue
    assert counted.to_dict() == pytest.approx(own.to_dict())
    page = (built / DAY / "04_cltv.html").read_text()
    assert f"Customer {lines.customer_id.iloc[0]} bought" in page and "line by line" in page


def test_pages_carry_no_path_of_the_machine_and_one_script(built):
    for name, content in contents(built / "reports").items():
        assert str(built).encode() not in content, name
        assert str(Path.home()).encode() + b"/" not in content, name
        if name.endswith(".html"):
            assert content.count(b"<script") == 1, name
            assert b"http://" not in content.replace(b"http://www.w3.org", b""), name


def test_a_source_elsewhere_is_told_by_its_name_alone(rebuilt, tmp_path, monkeypatch, capsys):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(rebuilt / "small.csv", elsewhere)
    edit(rebuilt / "params" / "small.yaml", "small.csv", str(elsewhere / "small.csv"))
    driver = prepared(rebuilt, monkeypatch, capsys)
    driver.drawn = set()
    status, out, err = driver("report")
    assert status == 0, out + err
    assert [name for name, text in contents(rebuilt / "reports").items() if str(elsewhere).encode() in text] == []
    told = json.loads((rebuilt / DAY / "manifest.json").read_text())
    assert told["params"]["source"] == {"file": "small.csv"}
    assert str(elsewhere) not in json.dumps(told)


def test_settings_that_are_paths_are_told_without_their_place(tmp_path):
    settings = {
        "title": "/a title",
        "source": {"files": ["/far/2023-*.csv", str(tmp_path / "data" / "2024.csv")], "delimiter": "/"},
        "contacts": "/far/contacts.csv",
        "attributes": "simulated",
        "segmentation": {"segment_map": "dma11"},
        "custom": {"file": 5},
    }
    assert manifest.redact_paths(settings, tmp_path) == settings | {
        "source": {"files": ["2023-*.csv", "data/2024.csv"], "delimiter": "/"},
        "contacts": "contacts.csv",
    }


def test_shuffled_rows_change_no_table(built, tmp_path, monkeypatch):
    """Nor does another way to run the cells: the shuffled shop's run in this process, not in kernels."""
    other = new_project(tmp_path / "shuffled")
    rows = pd.read_csv(other / "small.csv", dtype=str)
    rows.sample(frac=1, random_state=7).to_csv(other / "small.csv", index=False)
    driver = prepared(other, monkeypatch, None)
    driver.drawn = set()
    status, said = driver.to_file("report")
    assert status == 0, said
    one, two = contents(built / DAY / "data"), contents(other / DAY / "data")
    assert [name for name in one if one[name] != two[name]] == []


def times_of_change(reports: Path) -> dict[Path, int]:
    """When each file and folder changed, but for the logs of runs."""
    return {path: path.stat().st_mtime_ns for path in reports.rglob("*") if "_logs" not in path.parts}


def test_nothing_stale_starts_no_kernel(rebuilt):
    before = times_of_change(rebuilt / "reports")
    done = run(rebuilt, "report", PATH="/nonexistent")
    assert done.returncode == 0
    assert "notebook" not in done.stderr
    assert times_of_change(rebuilt / "reports") == before


def test_an_edited_notebook_reruns_alone_with_what_follows(rebuilt):
    append_cells(rebuilt / "notebooks" / "05_budget.ipynb", new_markdown_cell("## What else do we ask?"))
    before = json.loads((rebuilt / DAY / "manifest.json").read_text())["notebooks"]
    done = run(rebuilt, "report")
    assert "1/1" in done.stderr
    after = json.loads((rebuilt / DAY / "manifest.json").read_text())["notebooks"]
    assert [one["key"] == other["key"] for one, other in zip(before, after, strict=True)] == [True] * 4 + [False]
    assert "What else do we ask?" in (rebuilt / DAY / "05_budget.html").read_text()
    assert broken_links(rebuilt / "reports") == []


def test_a_parameter_overrides_the_notebook_and_the_page_says_so(rebuilt, monkeypatch, capsys):
    driver = prepared(rebuilt, monkeypatch, capsys)
    driver.drawn = set()
    with (rebuilt / "params" / "small.yaml").open("a") as file:
        file.write("budget: {total_budget: 200}\n")
    assert driver("report")[0] == 0
    page = (rebuilt / DAY / "05_budget.html").read_text()
    assert "params/small.yaml, overrides 50000" in page
    assert pd.read_parquet(rebuilt / DAY / "data" / "budget.parquet").spend.sum() <= 200


def test_a_default_that_is_set_is_told_and_runs_no_notebook(rebuilt, monkeypatch, capsys):
    driver = prepared(rebuilt, monkeypatch, capsys)
    with (rebuilt / "params" / "small.yaml").open("a") as file:
        file.write("rfm: {n_bins: 5}\n")
    assert driver("report")[0] == 0
    assert driver.started == []
    settings = BeautifulSoup((rebuilt / DAY / "02_rfm.html").read_text(), "html.parser").find(
        "details", class_="settings"
    )
    row = next(row.get_text(" ", strip=True) for row in settings.find_all("tr") if "n_bins" in row.get_text())
    assert row.endswith("params/small.yaml")
    assert json.loads((rebuilt / DAY / "manifest.json").read_text())["params"]["rfm"] == {"n_bins": 5}


def test_a_failing_notebook_keeps_the_last_good_report(rebuilt):
    failing = [new_markdown_cell("## What fails?"), new_code_cell("plan = 1 / 0")]
    append_cells(rebuilt / "notebooks" / "05_budget.ipynb", *failing)
    before = contents(rebuilt / DAY)
    done = run(rebuilt, "report")
    assert done.returncode == 1
    line = done.stderr.strip().splitlines()[-1]
    assert done.stdout.splitlines()[-1].startswith(
        "1 date failed. 1 error (see above). Previously published reports are unchanged."
    )
    assert line == (
        "error: small 1997-12-31: notebook 05_budget, section “What fails?”: ZeroDivisionError: division by zero. "
        "The failed notebook is reports/small/1997-12-31.failed/05_budget.ipynb"
    )
    assert (rebuilt / "reports/small/1997-12-31.failed/05_budget.ipynb").exists()
    assert contents(rebuilt / DAY) == before


def test_a_broken_report_stops_no_other(rebuilt):
    small = (rebuilt / "params" / "small.yaml").read_text()
    (rebuilt / "params" / "another.yaml").write_text(small + "rfm: {bin: 4}\n")
    (rebuilt / "params" / "early.yaml").write_text(small.replace("1997-12-31", "1990-01-01"))
    (rebuilt / "params" / "absent.yaml").write_text(small.replace("small.csv", "absent.csv"))
    (rebuilt / "params" / "column.yaml").write_text(small.replace("amount: dollar_value", "amount: dollars"))
    before = contents(rebuilt / DAY)
    done = run(rebuilt, "report")
    assert done.returncode == 1
    assert "params/another.yaml: unknown parameter rfm.bin; did you mean 'n_bins'?" in done.stderr
    assert "no order on or before 1990-01-01 is left" in done.stderr
    assert "choose a later analysis date" in done.stderr
    assert "small.csv has no column 'dollars' (columns.amount); did you mean 'dollar_value'?" in done.stderr
    assert "skipped absent: the source absent.csv does not exist" in done.stdout
    assert contents(rebuilt / DAY) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "smal"], "no report is called 'smal' (params/smal.yaml is missing); did you mean 'small'?"),
        (
            ["--report", "small", "--date", "1999-01-01"],
            "1999-01-01 is not an analysis date of small; params/small.yaml gives 1997-12-31",
        ),
    ],
)
def test_a_wrong_name_or_date_is_told(built, arguments, message):
    done = run(built, "report", *arguments)
    assert done.returncode == 1
    assert message in done.stderr


def test_a_named_report_without_its_source_fails(project):
    (project / "small.csv").unlink()
    done = run(project, "report", "--report", "small")
    assert done.returncode == 1
    assert "small: the source small.csv does not exist" in done.stderr
    assert run(project, "report").returncode == 0, "unnamed, it is skipped"


def test_an_own_notebook_gets_its_page_and_place(rebuilt, tmp_path):
    """Here from a folder of the project, and with `reports` as a link to another disk."""
    book = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}  # it names neither kernel nor language
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# How many are above the limit?"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {"tags": ["parameters"]},
            "source": "run_dir: str = '.'  # folder\nlimit: float = 10  # money",
            "outputs": [],
            "execution_count": None,
        },
        {
            "cell_type": "code",
            "id": "c",
            "metadata": {"tags": ["headline"]},
            "source": (
                "from shop_rules import wealthy\nfrom crm_utils.core.display.paragraphs import paragraph\nfrom "
                "crm_utils.store import Run\nmine = wealthy(Run(run_dir).load('customers'), "
                "limit)\nRun(run_dir).save(mine, 'mine')\n"
                "assert len(Run(run_dir).campaigns('campaigns'))  # of the project\n"
                "paragraph(f'{len(mine)} customers above {limit}.')"
            ),
            "outputs": [],
            "execution_count": None,
        },
    ]
    rules = "def wealthy(customers, limit):\n    return customers[customers.revenue > limit]\n"
    (rebuilt / "notebooks" / "shop_rules.py").write_text(rules)
    (rebuilt / "notebooks" / "06_limit.ipynb").write_text(json.dumps(book | {"cells": cells}))
    with (rebuilt / "params" / "small.yaml").open("a") as file:
        file.write("custom: {limit: 50}\n")
    (rebuilt / "reports").rename(tmp_path / "disk")
    (rebuilt / "reports").symlink_to(tmp_path / "disk")
    done = run(rebuilt / "notebooks", "report")
    assert done.returncode == 0, done.stderr
    assert "1/1" in done.stderr
    page = (rebuilt / DAY / "06_limit.html").read_text()
    assert "customers above 50." in page
    assert "How many are above the limit?" in (rebuilt / DAY / "index.html").read_text()
    before = BeautifulSoup((rebuilt / DAY / "05_budget.html").read_text(), "html.parser")
    assert before.find("a", rel="next")["href"] == "06_limit.html"
    assert pd.read_parquet(rebuilt / DAY / "data" / "mine.parquet").revenue.min() > 50
    assert "notebooks/shop_rules.py" in json.loads((rebuilt / DAY / "manifest.json").read_text())["files"]


@pytest.mark.parametrize("place", ["shop_rules.py", "notebooks/shop_rules.py", "shop_rules/deep/er.py", "through.py"])
def test_an_own_module_counts_where_it_is_imported(project, place):
    """At the project's root, beside the notebooks, in a package, or imported by another one."""
    path, code = project / place, "from shop_rules import x" if place != "through.py" else "import shop_rules as rules"
    (project / "shop_rules.py").write_text("import through, numpy")
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), project / "notebooks" / "06_own.ipynb")

    def made() -> list[str]:
        return list(cache_keys.fingerprint_job(plan_jobs(project)[0][0]).notebook_keys.values())

    path.write_text("x = 1")
    before = made()
    assert made() == before
    path.write_text("x = 2")
    assert [one == other for one, other in zip(before, made(), strict=True)] == [True] * 5 + [False]


DOUBLED = """from crm_utils.store import Run
run = Run(run_dir)
mine = run.load("customers")
run.save(mine.assign(weight=mine.get("weight", 1.0) * 2), "customers")
"""


def test_a_table_that_a_later_notebook_replaced_is_made_again_before_it_is_read(rebuilt, monkeypatch, capsys):
    """Doubled once, however often the notebook that doubles it runs; and single again when that is gone."""
    driver = prepared(rebuilt, monkeypatch, capsys)
    driver.drawn = set()
    table, own = rebuilt / DAY / "data" / "customers.parquet", rebuilt / "notebooks" / "06_mine.ipynb"
    parameters = new_code_cell("run_dir: str = '.'  # folder", metadata={"tags": ["parameters"]})

    def ran(code: str | None) -> tuple[list[str], float]:
        own.unlink(missing_ok=True)
        if code:
            nbformat.write(new_notebook(cells=[new_markdown_cell("# Mine?"), parameters, new_code_cell(code)]), own)
        driver.started.clear()
        status, out, err = driver("report")
        assert status == 0, out + err
        weights = pd.read_parquet(table).get("weight", pd.Series([1.0]))
        return [name[:2] for name in driver.started], weights.max()

    assert ran(DOUBLED) == (["06"], 2)
    assert ran(DOUBLED + "# a comment") == (["02", "03", "04", "05", "06"], 2)
    assert ran(None) == (["02", "03", "04", "05"], 1)


@pytest.mark.parametrize(
    ("files", "fresh"),
    [
        ([["a"], ["b"], ["c"], ["d"]], 3),
        ([["a"], ["b", "x"], ["c"], ["x"]], 1),
        ([["a"], ["b"], ["a"], ["d"]], 3),  # it was written over by a notebook that stays as it is
        ([["a"], ["b", "x"], ["a"], ["x"]], 0),
    ],
)
def test_what_a_stale_notebook_wrote_over_is_stale(tmp_path, files, fresh):
    names = [f"{number:02}_n" for number in range(1, 5)]
    keys = {name: name for name in names[:3]} | {names[3]: "changed"}
    job = FingerprintedJob(SimpleNamespace(folder=tmp_path), keys, {}, "")
    books = [{"name": name, "key": name, "files": wrote} for name, wrote in zip(names, files, strict=True)]
    for path in (path for book in books for path in manifest.notebook_files(book)):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "manifest.json").write_text(json.dumps({"notebooks": books}))
    assert staleness.stale_notebooks(job) == names[fresh:]


def test_a_draft_can_be_edited_in_jupyter(rebuilt, tmp_path):
    """What an analyst does: make draft, open 02_rfm, set n_bins to 4, run all; 03 then asks for a map.

    What is published stays. 03 is run by plain papermill from the project's folder, and finds the draft.
    """
    before = contents(rebuilt / DAY)
    done = run(rebuilt, "draft", "--report", "small")
    assert done.returncode == 0, done.stderr
    assert "_draft" not in (rebuilt / "reports" / "index.html").read_text()
    edit(rebuilt / "notebooks" / "02_rfm.ipynb", "n_bins: int = 5", "n_bins: int = 4")
    execute = [
        sys.executable,
        "-m",
        "jupyter",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--output-dir",
        str(tmp_path),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*execute, "02_rfm.ipynb"], cwd=rebuilt / "notebooks", env=environment, check=True, capture_output=True
    )
    customers = pd.read_parquet(rebuilt / "reports/_draft/data/customers.parquet")
    assert customers.recency_score.max() == 4
    papermill = [sys.executable, "-m", "papermill", "notebooks/03_segmentation.ipynb", str(tmp_path / "out.ipynb")]
    refused = subprocess.run(papermill, cwd=rebuilt, env=environment, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "made for 5 score classes, but the customers have 4" in refused.stderr
    assert contents(rebuilt / DAY) == before


def start(project: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "crm_utils", "report"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def works_in(process: psutil.Process, part: str) -> bool:
    """Whether the process is alive and its working folder contains the text."""
    try:
        return part in process.cwd()
    except psutil.NoSuchProcess:  # it ended meanwhile, or nobody has waited for it yet (ZombieProcess)
        return False


def kernels_of(process: subprocess.Popen) -> list[psutil.Process]:
    """Wait until a kernel runs below the process."""
    for _ in range(600):
        found = [
            child for child in psutil.Process(process.pid).children(recursive=True) if works_in(child, ".building")
        ]
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("no kernel was started")


@pytest.mark.skipif(sys.platform != "linux", reason="threads are found in /proc")
def test_a_ctrl_c_that_another_thread_catches_stops_the_run(rebuilt):
    """The system gives a signal to any thread; Python acts on it in the first, once that is awake."""
    edit(rebuilt / "notebooks" / "01_cleaning.ipynb", '"from crm', '"__import__(\'time\').sleep(60)\\n", "from crm')
    process = start(rebuilt)
    kernels = kernels_of(process)
    status = {int(path.parent.name): path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/status")}
    blocked = {thread: int(re.search(r"SigBlk:\s*(\w+)", text)[1], 16) for thread, text in status.items()}
    others = [thread for thread in blocked if thread != process.pid and not blocked[thread] >> signal.SIGINT - 1 & 1]
    assert ctypes.CDLL(None).tgkill(process.pid, others[0], signal.SIGINT) == 0
    process.wait(timeout=30)
    assert process.returncode == 130
    assert psutil.wait_procs(kernels, timeout=20)[1] == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_stopped_half_way_leaves_the_last_good_report_and_no_process(rebuilt, how):
    edit(rebuilt / "notebooks" / "01_cleaning.ipynb", '"from crm', '"__import__(\'time\').sleep(60)\\n", "from crm')
    before = contents(rebuilt / DAY)
    process = start(rebuilt)
    kernels = kernels_of(process)
    process.send_signal(how)
    process.wait(timeout=30)
    assert process.returncode != 0
    gone, alive = psutil.wait_procs(kernels, timeout=20)
    assert alive == []
    assert contents(rebuilt / DAY) == before
    if how is signal.SIGKILL:
        assert list((rebuilt / "reports" / "small").glob(".*.building")), "it was killed half-way"
        atomic_publish.recover(rebuilt / "reports")  # the dead process does not keep the lock
        assert not list((rebuilt / "reports" / "small").glob(".*.building"))


def test_a_run_killed_between_the_two_renames_is_put_right(tmp_path):
    report = tmp_path / "small"
    for name in (".1997-12-31.old", ".1998-06-30.old", "1998-06-30", ".1998-06-30.building"):
        (report / name).mkdir(parents=True)
        (report / name / "index.html").write_text(name)
    atomic_publish.recover_folder(report)
    assert sorted(path.name for path in report.iterdir()) == ["1997-12-31", "1998-06-30"]
    assert (report / "1997-12-31" / "index.html").read_text() == ".1997-12-31.old"
    assert (report / "1998-06-30" / "index.html").read_text() == "1998-06-30"


def test_a_run_killed_while_it_wrote_a_page_leaves_no_piece_of_it(tmp_path):
    """In a date whose comparisons it linked, or among the comparisons; what a living run is building stays."""
    report, other = tmp_path / "small", tmp_path / "other"
    for path in (report / "1997-12-31" / "index.html", report / "compare" / "1997-09-30_1997-12-31.html"):
        path.parent.mkdir(parents=True)
        path.write_text("whole")
        atomic_publish.build_folder(path).write_text("half")
    held = other / ".1997-12-31.building" / "index.html"
    held.parent.mkdir(parents=True)
    held.touch()
    with atomic_publish.locked(other):
        atomic_publish.recover(tmp_path)
    assert held.exists()
    assert [path.read_text() for path in report.rglob("*.html*")] == ["whole", "whole"]


def test_the_default_report_from_a_fresh_clone(tmp_path):
    """CDNOW, as `make report` builds it, its last date: 6 pages, the known ledger, every link."""
    project = new_project(tmp_path / "fresh")
    (project / "params" / "small.yaml").unlink()
    text = (ROOT / "params" / "cdnow.yaml").read_text()
    (project / "params" / "cdnow.yaml").write_text(text.replace('"1997-06-30", "1997-09-30", "1997-12-31", ', ""))
    done = run(project, "report", timeout=900)
    assert done.returncode == 0, done.stderr
    assert "5/5" in done.stderr
    reports = project / "reports"
    dates = ["1998-06-30"]
    assert sorted(path.name for path in (reports / "cdnow").iterdir() if path.name != ".lock") == [*dates, "latest"]
    assert [sorted(path.name for path in (reports / "cdnow" / day).glob("*.html")) for day in dates] == [PAGES]
    assert broken_links(reports) == []
    assert too_long(reports / "cdnow" / "1998-06-30") == []
    data = reports / "cdnow" / "1998-06-30" / "data"
    log = pd.read_parquet(data / "cleaning_ledger.parquet")
    assert log.iloc[0][["rows_left", "customers_left", "revenue_left"]].tolist() == [69_659, 23_570, 2_500_315.63]
    assert log.iloc[-1][["customers_left", "revenue_left"]].tolist() == [23_502, 2_500_315.63]
    for table in ("orders", "customers"):
        assert pd.read_parquet(data / f"{table}.parquet").revenue.sum() == pytest.approx(2_500_315.63, abs=0.01)
    page = (reports / "cdnow" / "1998-06-30" / "03_segmentation.html").read_text()
    assert "No customer is new" in page
