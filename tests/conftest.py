"""Shared fixtures: tiny ledgers, the CDNOW log, a project folder of its own for each run, and a browser."""

import os
import shutil
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest

from crm_utils import sources
from crm_utils.cleaning import rules
from crm_utils.config import Columns, Source
from crm_utils.config.paths import source_paths
from crm_utils.core import orders
from crm_utils.pipeline import atomic_publish
from tests.support.factories import empty_adjustments
from tests.support.projects import ROOT, new_project, run, skip_or_fail

LONGEST = [
    f"test_{name}"
    for name in [
        "report",
        "publishing",
        "bad_inputs",
        "new_report",
        "databases",
        "hostile_data",
        "security",
        "guide",
        "any_shop",
    ]
]
CDNOW_COLUMNS = Columns(customer_id="customer_id", ordered_at="date", quantity="number_of_cds", amount="dollar_value")


@pytest.fixture(scope="session")
def retail() -> Path:
    """The folder of the real Online Retail II data, where there is one."""
    folder = Path(os.environ.get("CRM_DATA") or ROOT / "data")
    if not (folder / "online_retail_II.xlsx").exists():
        pytest.skip(f"Online Retail II is not in {folder} (set CRM_DATA, or put online_retail_II.xlsx into data/)")
    return folder


@pytest.fixture(scope="session")
def cdnow_lines() -> ibis.Table:
    """The line items of CDNOW, in the engine."""
    return sources.read_line_items(Source(sample="cdnow"), CDNOW_COLUMNS, ROOT)


@pytest.fixture(scope="session")
def cdnow_sample() -> pd.DataFrame:
    """Purchase days of the published 1/10 sample: customer, date, amount (one row a customer and day)."""
    log = pd.read_csv(
        source_paths(Source(sample="cdnow"), ROOT)[0].with_name("CDNOW_sample.txt"),
        sep=r"\s+",
        names=["master_id", "customer", "date", "cds", "amount"],
        dtype={"master_id": str, "customer": str, "date": str},
    )
    log["date"] = pd.to_datetime(log.date)
    return log.groupby(["customer", "date"], as_index=False).amount.sum()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder that has built nothing yet."""
    return new_project(tmp_path / "project")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A project folder whose report `small` is built, once for all workers. Read only: copy it before you change it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "built" / "project"
    with atomic_publish.locked(folder.parent):
        if not (folder / "reports" / "index.html").exists():
            shutil.rmtree(folder, ignore_errors=True)
            done = run(new_project(folder), "report")
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def rebuilt(built: Path, tmp_path: Path) -> Path:
    """A copy of the built project, to change and build again."""
    return shutil.copytree(built, tmp_path / "project")


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, closed before another module's tests run: its event loop must not stay around them."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        skip_or_fail("no Chromium is installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def retail_orders(retail: Path) -> ibis.Table:
    """Orders of Online Retail II, both sheets, the days that stand in both kept once, cancellations dropped."""
    years = [pd.read_parquet(retail / f"year_{year}.parquet") for year in ("2009_2010", "2010_2011")]
    overlap = years[0].InvoiceDate >= "2010-12-01"
    raw = pd.concat([years[0][~overlap], years[1]], ignore_index=True)
    raw = raw[raw["Customer ID"].notna()]
    lines = ibis.memtable(
        pd.DataFrame(
            {
                "customer_id": raw["Customer ID"].astype(int).astype(str),
                "order_id": raw.Invoice.astype(str),
                "ordered_at": raw.InvoiceDate,
                "quantity": raw.Quantity.astype(float),
                "amount": (raw.Quantity * raw.Price).round(4),
            }
        )
    )
    lines = lines.mutate(amount=lines.amount.cast("decimal(18, 4)"))
    named = rules.removal_rules(lines, date(2011, 12, 31))
    kept = rules.classify(lines, named)
    return orders.orders_from_lines(kept.filter(kept.removed_by.isnull()).drop("removed_by")).cache()


@pytest.fixture(scope="session")
def no_adjustments() -> ibis.Table:
    """A table of cancellations without a row."""
    return ibis.memtable(empty_adjustments())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest files come first, so that two workers end together (`--no-loadscope-reorder`)."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
