"""Data never runs, secrets never show, nothing is written outside the project, and no pickle is read or written."""

import ast
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from openpyxl.cell import Cell

from crm_utils.budget import narrative
from crm_utils.config import Source
from crm_utils.core.formatting import mask_secrets
from tests.support.in_process import prepared
from tests.support.projects import ROOT

SECRET, OTHER = "hunter2-Zq9", "swordfish-Xy7"
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
SCRIPT, PICTURE, CALC = "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0"
IDS = [
    SCRIPT,
    PICTURE,
    CALC,
    "@SUM(1+1)",
    "+1",
    "-2",
    '"><b onmouseover=alert(1)>',
    "{{ 7*7 }}",
    "${SHOP_URL}",
    "'; drop table lines; --",
]
SEEN: dict[str, set[str]] = {"open": set(), "pickle.find_class": set()}
WATCHING = False


def watch(event: str, arguments: tuple) -> None:
    if WATCHING and event == "open" and isinstance(arguments[0], str) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        SEEN["open"].add(str(Path(arguments[0]).absolute()))
    if WATCHING and event == "pickle.find_class":
        SEEN["pickle.find_class"].add(".".join(map(str, arguments[:2])))


def database(path: Path) -> None:
    """A shop whose every text is hostile: some hundred orders of customers with such ids, products and countries."""
    days = pd.date_range("1997-01-01", "1997-12-30", periods=240).strftime("%Y-%m-%d %H:%M:%S")
    rows = [
        (
            f"{IDS[n % len(IDS)]}{n % 29 or ''}",
            f"{n}",
            day,
            IDS[n % 7],
            IDS[(n + 1) % 7],
            1 + n % 4,
            3.0 + n % 11,
            IDS[n % 2],
        )
        for n, day in enumerate(days)
    ]
    with sqlite3.connect(path) as engine:
        engine.execute(
            "create table lines (customer_id text, order_id text, ordered_at timestamp, product_id text, "
            "description text, quantity integer, unit_price real, country text)"
        )
        engine.executemany("insert into lines values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    engine.close()


def hostile(project: Path) -> Path:
    """A project in which whatever may hold text holds something that wants to be run."""
    shutil.copytree(ROOT / "notebooks", project / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copytree(ROOT / "params" / "segments", project / "params" / "segments")
    shutil.copy(ROOT / "params" / "evidence.yaml", project / "params")
    campaigns = yaml.safe_load((ROOT / "params" / "campaigns.yaml").read_text())
    campaigns["campaigns"][0] |= {
        "name": f"../../{CALC}",
        "action": SCRIPT,
        "evidence": "assumed",
        "where": "recency_score >= 4 and frequency_score <= 2 and monetary_score >= 4",
        "lift": 0.5,
        "lift_high": 0.9,
        "fixed_cost": 0,
    }
    campaigns["campaigns"][1] |= {"name": PICTURE}
    (project / "params" / "campaigns.yaml").write_text(yaml.safe_dump(campaigns))
    segments = yaml.safe_load((ROOT / "params" / "segments" / "dma11.yaml").read_text())
    segments["segments"][0] |= {"advice": SCRIPT, "meaning": PICTURE}
    (project / "params" / "segments" / "dma11.yaml").write_text(yaml.safe_dump(segments))
    names = ("customer_id", "order_id", "ordered_at", "product_id", "description", "quantity", "unit_price", "country")
    report = {
        "title": f"{SCRIPT} shop",
        "currency": "GBP",
        "source": {"database": "${SHOP_URL}", "table": "lines"},
        "columns": dict(zip(names, names, strict=True)),
        "analysis_dates": ["1997-12-31"],
        "history_complete": True,
        "cleaning": {"exclude_products": ["'; import os; os.system('touch ran') #", '"""\n1/0']},
    }
    (project / "params" / "shop.yaml").write_text(yaml.safe_dump(report))
    database(project / "shop.db")
    return project


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The hostile project, built once in this process; what it wrote, unpickled and said."""
    global WATCHING
    project = hostile(tmp_path_factory.mktemp("world") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_URL", f"sqlite://shop.db?password={SECRET}")
        patch.setenv("OTHER_TOKEN", OTHER)
        driver = prepared(project, patch, None)
        sys.addaudithook(watch)
        WATCHING = True
        status, said = driver.to_file("report")
        WATCHING = False
        assert status == 0, said
        report = project / "params" / "shop.yaml"
        good = report.read_text()
        report.write_text(good.replace("table: lines", "table: lins"))
        said += driver.to_file("report")[1]
        book = project / "notebooks" / "02_rfm.ipynb"
        book.write_text(book.read_text().replace("run = Run(run_dir)", "run = Run(run_dir + str(1 / 0))"))
        report.write_text(good.replace("1997-12-31", "1997-12-30"))
        failed, text = driver.to_file("report")
        assert failed == 1, text
        assert "ZeroDivisionError" in text
    return project, said + text


def test_data_and_parameters_stay_text_on_every_page(world):
    pages = [path for path in (world[0] / "reports").rglob("*.html") if path.parent.name != "latest"]
    assert len(pages) == 9
    for path in pages:
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        templates = ROOT / "crm_utils" / "site" / "templates"
        ours = {script.read_text(encoding="utf-8").strip() for script in templates.glob("*.js")}
        assert {script.text.strip() for script in page.find_all("script")} <= ours, path.name
        for element in page.find_all(True):
            assert not [name for name in element.attrs if name.startswith("on")], path.name
            assert not str(element.get("src", "data:")).startswith("x"), path.name
            assert not str(element.get("href", "")).lower().startswith("javascript"), path.name
        assert "49 shop" not in page.get_text()
    assert any(SCRIPT in BeautifulSoup(path.read_text(), "html.parser").get_text() for path in pages), (
        "it is shown as text"
    )
    assert not list(world[0].rglob("ran")), "a parameter was run"


def test_no_cell_of_a_list_or_workbook_is_a_formula(world):
    day = world[0] / "reports" / "shop" / "1997-12-31"
    lists = [
        *day.glob("lists/**/*.csv"),
        *day.glob("send/*.csv"),
        *day.glob("hold_back/*.csv"),
        day / "do_not_contact.csv",
    ]
    cells = [text for path in lists for text in pd.read_csv(path, dtype=str, keep_default_na=False).to_numpy().ravel()]
    numbers = re.compile(r"-?[\d.,]+(e-?\d+)?$")
    assert [text for text in cells if text.startswith(FORMULAS) and not numbers.match(text)] == []
    assert any(text.startswith("'=cmd") for text in cells), "the list has the hostile customers"
    book = openpyxl.load_workbook(day / "workbook.xlsx")
    for sheet in book:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            assert cell.data_type != "f" or is_ours(cell), f"{sheet.title} {cell.coordinate}: {cell.value}"


def is_ours(cell: Cell) -> bool:
    """Whether a formula is one that the sheets for readers compute with: sums, and no text of the data."""
    words = set(re.findall(r"[A-Za-z]{2,}", cell.value.replace(narrative.WORKBOOK_OVERSPENT, "")))
    return cell.parent.sheet_state == "visible" and words <= {"SUM", "IF", "MIN", "SUBTOTAL", *narrative.SHEETS_SAY}


def test_no_secret_is_in_any_file_or_message(world):
    project, said = world
    for path in (path for path in project.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for secret in (SECRET, OTHER):
            assert secret.encode() not in content, path.relative_to(project)
    assert SECRET not in said
    assert OTHER not in said
    assert "no table 'lins'" in said


ADDRESSES = [
    "postgresql://u:{}@h/db",
    "postgresql://u@corp:{}@h/db?sslmode=require",
    "postgresql://:{}@h",
    *(
        f"scheme://h/p?x=1&{name}={{}}&y=2"
        for name in (
            [
                "password",
                "sslpassword",
                "passwd",
                "pwd",
                "private_key_pwd",
                "token",
                "access_token",
                "secret",
                "client_secret",
                "api_key",
                "KEY",
            ]
        )
    ),
]


@pytest.mark.parametrize("secret", [SECRET, "top@secret", "a/b:c", "a@b/c?d"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_secret_in_an_address_is_hidden_and_refused(address, secret):
    written, named = address.format(secret), address.format("${NAME}")
    assert mask_secrets(f"cannot reach {written} or me@x.com") == f"cannot reach {address.format('***')} or me@x.com"
    with pytest.raises(ValueError, match="write the password as"):
        Source(database=written, table="lines")
    assert Source(database=named, table="lines").database == named


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:${PW}@h:5432/db?contact=me@x.com",
        "postgresql://u@h:5432/db",
        "sqlite://a b/shop.db",
        "spark://local[2]",
    ],
)
def test_an_address_without_a_secret_stays_as_it_is(address):
    assert Source(database=address, table="lines").database == address


def test_nothing_is_written_outside_the_project(world):
    project = world[0]
    assert [path.name for path in project.parent.iterdir() if path.name != "said.txt"] == ["project"]
    allowed = (str(project), str(project.parent / "said.txt"), "/dev/null", "/proc/")
    elsewhere = [path for path in SEEN["open"] if not path.startswith(allowed)]
    temporary = str(Path(tempfile.gettempdir()).absolute())
    caches = ("matplotlib", "__pycache__", ".hypothesis")
    assert [p for p in elsewhere if not p.startswith(temporary) and not any(cache in p for cache in caches)] == []


def test_no_pickle_is_read_and_no_code_could(world):
    assert SEEN["pickle.find_class"] == set()
    for path in (ROOT / "crm_utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert not {name.split(".")[0] for name in names} & {"pickle", "joblib", "shelve", "marshal", "dill"}, (
                path.name
            )
            assert not (isinstance(node, ast.Attribute) and "pickle" in node.attr), path.name
