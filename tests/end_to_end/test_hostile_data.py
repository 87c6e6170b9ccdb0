"""Data and rules that could run as code: on pages, in lists and in the workbook they are plain text."""

import csv
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import yaml
from openpyxl import load_workbook

from crm_utils.core.formula_injection import FORMULA_STARTS
from tests.support.projects import ROOT, new_project, run
from tests.support.sending_tools import import_contacts

SCRIPT = "<script>window.hacked=1</script>"
IMAGE = '"><img src=x onerror=window.hacked=1>'
QUOTES = """O'Brien "the" & co {{ 7*7 }} $\\frac{$"""
RIGHT_TO_LEFT = "עברית مرحبا"
EMOJI = "🛒👩‍👩‍👧"
LONG = "x" * 500
FORMULA = '=HYPERLINK("http://evil.example","click")'
HOSTILE = [SCRIPT, IMAGE, QUOTES, RIGHT_TO_LEFT, EMOJI, LONG, FORMULA]
DAY = Path("reports/hostile/1997-12-31")
REPORT = {
    "title": f"{SCRIPT} {QUOTES} {RIGHT_TO_LEFT}",
    "currency": "USD",
    "source": {"file": "hostile.csv"},
    "columns": {
        **{name: name for name in ("customer_id", "order_id", "product_id", "description", "country")},
        "ordered_at": "date",
        "quantity": "number_of_cds",
        "amount": "dollar_value",
    },
    "analysis_dates": ["1997-12-31"],
    "history_complete": True,
    "attributes": "attributes.csv",
    "contacts": "contacts.csv",
    "cleaning": {"cancellations": "match"},
    "segmentation": {"segment_map": "own.yaml"},
    "budget": {"campaigns_file": "own_campaigns.yaml", "scenarios": [], "send": {"format": "klaviyo"}},
}
# What must not be read anywhere but on the lists
MAIL_DOMAIN, DIALLING_CODE = "secret-mail.example", "+4477009"


def write_ledger(folder: Path) -> None:
    """Write the small shop with hostile names for its seven best customers, all products and all countries.

    It also has cancellations that match no sale.
    """
    lines = pd.read_csv(folder / "small.csv", dtype=str)
    best = lines.assign(paid=lines.dollar_value.astype(float)).groupby("customer_id").paid.sum().nlargest(7).index
    lines["customer_id"] = lines.customer_id.replace(dict(zip(best, HOSTILE, strict=True)))
    texts = pd.Series(HOSTILE).take([number % 7 for number in range(len(lines))]).to_numpy()
    lines = lines.assign(
        order_id=[f"O{n}" for n in range(len(lines))], product_id=texts, description=texts, country=texts
    )
    cancelled = lines.head(7).assign(
        order_id=[f"C{text}" for text in HOSTILE], number_of_cds="-1", dollar_value="-987.65"
    )
    pd.concat([lines, cancelled]).to_csv(folder / "hostile.csv", index=False)
    ids = lines.customer_id.drop_duplicates()
    traits = pd.DataFrame({"customer_id": ids, IMAGE: [HOSTILE[n % 2] for n in range(len(ids))]})
    traits.to_csv(folder / "attributes.csv", index=False)
    contacts = pd.DataFrame({"customer_id": ids, "channel": "email", "consent": "yes", "last_contacted": None})
    numbers = pd.Series(range(len(ids)), index=contacts.index).astype(str)
    contacts = contacts.assign(
        external_id="x" + numbers,
        email="c" + numbers + f"@{MAIL_DOMAIN}",
        phone=DIALLING_CODE + numbers.str.zfill(5),
        first_name=[HOSTILE[n % 7] for n in range(len(ids))],
    )
    contacts.iloc[-1, contacts.columns.get_loc("email")] = "@cmd"
    contacts.to_csv(folder / "contacts.csv", index=False)


def write_rules(folder: Path) -> None:
    """Write the segment map and campaigns with hostile names, at costs low enough to be planned."""
    segment_map = yaml.safe_load((ROOT / "params/segments/dma11.yaml").read_text())
    for segment, text in zip(segment_map["segments"], HOSTILE, strict=False):
        segment |= {"name": text, "meaning": text, "advice": text}
        segment.pop("fallback", None)
    (folder / "own.yaml").write_text(yaml.safe_dump(segment_map))
    group = "other customers"
    campaigns = [
        {
            "name": f"{n} {text}" if n % 2 else text,
            "action": text,
            "group": group,
            "contact_cost": 0.01,
            "lift": 0.1,
            "segments": [text],
            "channel": "E-Mail",
            "window_days": 91,
        }
        for n, text in enumerate(HOSTILE)
    ]  # fmt: skip
    (folder / "own_campaigns.yaml").write_text(yaml.safe_dump({"campaigns": campaigns}))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """The folder of the built report."""
    folder = new_project(tmp_path_factory.mktemp("hostile") / "project")
    write_ledger(folder)
    write_rules(folder)
    (folder / "params" / "small.yaml").unlink()
    (folder / "params" / "hostile.yaml").write_text(yaml.safe_dump(REPORT))
    result = run(folder, "report", "--report", "hostile")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / DAY


def test_hostile_text_on_pages_is_shown_as_text(hostile, browser):
    context = browser.new_context(offline=True, viewport={"width": 360, "height": 800})
    tab = context.new_page()
    requests, messages, texts = [], [], {}
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: messages.append(message.text))
    tab.on("dialog", lambda dialog: messages.append(dialog.message))
    pages = [*sorted(hostile.glob("*.html")), hostile.parents[1] / "index.html"]
    for page in pages:
        tab.goto(page.as_uri())
        tab.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert tab.evaluate("window.hacked") is None
        assert tab.locator("script").count() == 1
        assert tab.locator("img:not([alt])").count() == 0
        assert tab.evaluate("document.documentElement.scrollWidth") == 360, page.name
        texts[page.stem] = tab.locator("body").text_content()
        assert REPORT["title"] in texts[page.stem]
    context.close()
    assert messages == []
    assert [
        url for url in requests if not url.startswith("data:") and url not in {page.as_uri() for page in pages}
    ] == []
    for text in HOSTILE:
        assert text in texts["03_segmentation"], "as a segment"
        assert text in texts["04_cltv"], "as a customer"
        assert text in texts["05_budget"], "as a campaign"
    assert sum(text in texts["01_cleaning"] for text in HOSTILE) == 7, "as a cancelled product"
    assert IMAGE in texts["03_segmentation"], "as an attribute of customers"


def test_lists_contain_no_formulas_and_all_customers(hostile):
    lists = sorted(hostile.glob("lists/*.csv"))
    by_segment = pd.read_parquet(hostile / "data/segments.parquet").segment.nunique()
    assert len(lists) == by_segment + len(["all customers", "the best who have gone"])
    known = set(pd.read_parquet(hostile / "data/customers.parquet").customer_id)
    listed = set()
    for path in [*lists, *hostile.glob("send/*.csv"), *hostile.glob("hold_back/*.csv"), hostile / "do_not_contact.csv"]:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert all(not cell.startswith(FORMULA_STARTS) or _is_number(cell) for row in rows for cell in row.values())
        listed |= {row["customer_id"].removeprefix("'") for row in rows}
    assert listed == known
    assert set(HOSTILE) <= known


def test_send_lists_are_imported_by_the_tool_and_leave_out_an_address_that_is_none(hostile):
    sent = [import_contacts("klaviyo", path) for path in hostile.glob("send/*.csv")]
    assert sent and [refused for _, refused in sent if refused] == []
    assert all(contact["email"].endswith(MAIL_DOMAIN) for contacts, _ in sent for contact in contacts)
    left = pd.read_csv(hostile / "do_not_contact.csv", dtype=str)
    wrong = left[left.crm_reason == "not a valid e-mail address"]
    assert len(wrong) == 1 and wrong.Email.isna().all()


def test_segment_lists_say_the_same_as_the_lists_to_send(hostile):
    listed = pd.concat(
        [pd.read_csv(path, dtype=str) for path in hostile.glob("lists/*.csv") if "gone" not in path.name]
    )
    marks = listed.drop_duplicates("customer_id").set_index("customer_id")[["may_contact", "held_out"]]
    sent, held = (
        pd.concat([pd.read_csv(path, dtype=str) for path in hostile.glob(f"{name}/*.csv")]).customer_id
        for name in ("send", "hold_back")
    )
    assert set(marks.loc[sent].agg(" ".join, axis=1)) == {"email no"}
    assert set(marks.loc[held].agg(" ".join, axis=1)) == {"email yes"}
    assert marks.may_contact.value_counts()["no"] == 1, "whose address is none"


def test_addresses_are_on_the_lists_and_nowhere_else(hostile):
    allowed = {"contacts.parquet", "do_not_contact.csv", *(path.name for path in hostile.glob("send/*.csv"))}
    allowed |= {path.name for path in hostile.glob("hold_back/*.csv")}
    project = hostile.parents[2]
    files = [*project.glob("reports/**/*"), *project.glob(".cache/**/*.json")]
    files = [path for path in files if path.is_file() and path.name not in allowed]
    assert {".html", ".ipynb", ".json", ".xlsx", ".parquet", ".log", ".txt", ".csv"} <= {path.suffix for path in files}
    for path in files:
        for secret in (MAIL_DOMAIN, DIALLING_CODE):
            assert secret not in _readable(path), path.name


def _readable(path: Path) -> str:
    """All text of a file; that of a table or workbook too."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            return "".join(archive.read(name).decode(errors="replace") for name in archive.namelist())
    return path.read_text(encoding="utf-8", errors="replace")


def test_customer_ids_are_for_the_owner_and_pages_for_everybody(hostile):
    """The umask of the test decides who may read pages; customer ids never follow it."""
    private = [*hostile.glob("data/*"), *hostile.glob("notebooks/*"), *hostile.glob("lists/**/*.csv")]
    private += [
        *hostile.glob("send/*"),
        *hostile.glob("hold_back/*"),
        hostile / "do_not_contact.csv",
        hostile / "04_cltv.html",
    ]
    assert len(private) > 40
    assert {mode_of(path) for path in private} == {0o600}
    folders = [hostile / name for name in ("data", "notebooks", "lists", "lists/moved", "send", "hold_back")]
    assert {mode_of(path) for path in folders} == {0o700}
    usual = mode_of(hostile.parents[1])
    pages = ("index.html", "02_rfm.html", "03_segmentation.html", "05_budget.html", "workbook.xlsx", "manifest.json")
    assert {mode_of(hostile / name) for name in pages} == {usual & 0o666}
    assert mode_of(hostile) == usual
    latest = hostile.parent / "latest"
    assert (mode_of(latest), mode_of(latest / "send")) == (usual, 0o700)
    assert mode_of(hostile.parents[2] / ".cache") == 0o700


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _is_number(cell: str) -> bool:
    return cell.lstrip("-+").replace(".", "", 1).isdigit()


def test_the_workbook_contains_no_formula_of_the_data(hostile):
    cells = [cell for sheet in load_workbook(hostile / "workbook.xlsx") for row in sheet for cell in row]
    formulas = [cell for cell in cells if cell.data_type == "f"]
    assert {cell.parent.sheet_state for cell in formulas} == {"visible"}
    assert not [cell.value for cell in formulas if FORMULA.lstrip("=") in cell.value]
    assert f"'{FORMULA}" in {cell.value for cell in cells}
    assert SCRIPT in {cell.value for cell in cells}
