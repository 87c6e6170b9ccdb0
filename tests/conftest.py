"""Shared fixtures: tiny ledgers, the CDNOW log, a project folder of its own for each run, and a browser."""

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils import sources
from crm_utils.cleaning import rules
from crm_utils.core import orders
from crm_utils.core.contracts import CONTRACTS, check_contract
from crm_utils.core.paths import source_paths
from crm_utils.pipeline import atomic_publish

ROOT = Path(__file__).parents[1]
LONGEST = [
    f"test_{name}"
    for name in ["report", "trust", "bad_inputs", "new", "databases", "hostile", "security", "guide", "any_shop"]
]
CDNOW_COLUMNS = {
    "customer_id": "customer_id",
    "ordered_at": "date",
    "quantity": "number_of_cds",
    "amount": "dollar_value",
}
SMALL_REPORT = """
title: Small shop
currency: USD
source: {file: small.csv}
columns: {customer_id: customer_id, ordered_at: date, quantity: number_of_cds, amount: dollar_value}
analysis_dates: ["1997-12-31"]
history_complete: true
"""


def skip_or_fail(reason: str) -> None:
    """Skip where a user's machine lacks something; fail in CI, where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(f"must run in CI: {reason}")
    pytest.skip(reason)


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
    return sources.read_line_items({"sample": "cdnow"}, CDNOW_COLUMNS, ROOT)


@pytest.fixture(scope="session")
def cdnow_sample() -> pd.DataFrame:
    """Purchase days of the published 1/10 sample: customer, date, amount (one row a customer and day)."""
    log = pd.read_csv(
        source_paths({"sample": "cdnow"}, ROOT)[0].with_name("CDNOW_sample.txt"),
        sep=r"\s+",
        names=["master_id", "customer", "date", "cds", "amount"],
        dtype={"master_id": str, "customer": str, "date": str},
    )
    log["date"] = pd.to_datetime(log.date)
    return log.groupby(["customer", "date"], as_index=False).amount.sum()


def run(project: Path, *arguments: str, timeout: int = 300, **environment: str) -> subprocess.CompletedProcess:
    """The command line in a project folder."""
    return subprocess.run(
        [sys.executable, "-m", "crm_utils", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def new_project(folder: Path) -> Path:
    """A project folder with our notebooks and business rules, and a report `small` on 1/40 of the CDNOW customers."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copytree(ROOT / "params" / "segments", folder / "params" / "segments")
    shutil.copy(ROOT / "params" / "campaigns.yaml", folder / "params")
    shutil.copy(ROOT / "requirements.lock", folder)
    (folder / "params" / "small.yaml").write_text(SMALL_REPORT)
    log = pd.read_csv(
        source_paths({"sample": "cdnow"}, ROOT)[0],
        sep=r"\s+",
        skiprows=1,
        names=["customer_id", "date", "number_of_cds", "dollar_value"],
        dtype=str,
    )
    log[log.customer_id.astype(int) % 40 == 0].to_csv(folder / "small.csv", index=False)
    return folder


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


def empty_adjustments() -> pd.DataFrame:
    """The table of cancellations of a shop that has none."""
    return check_contract(
        pd.DataFrame({name: [] for name in CONTRACTS["order_adjustments"].columns}), "order_adjustments"
    )


@pytest.fixture(scope="session")
def no_adjustments() -> ibis.Table:
    """A table of cancellations without a row."""
    return ibis.memtable(empty_adjustments())


def three_hundred() -> pd.DataFrame:
    """300 customers with a rhythm each, some long silent: what `cltv.summary` returns."""
    rng = np.random.default_rng(7)
    age, x = rng.integers(200, 500, 300), rng.poisson(rng.gamma(0.8, 3, 300))
    last = np.where(x > 0, (age * rng.uniform(0.2, 1, 300)).astype(int), 0)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:03}" for i in range(300)],
            "repeat_purchase_days": x,
            "last_purchase_age_days": last,
            "age": age,
            "mean_purchase_value": rng.gamma(4, 10, 300),
        }
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first: two workers, a file each, then end together (`--no-loadscope-reorder`)."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
