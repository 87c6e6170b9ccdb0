"""Deliver the newest date of a report: copy it to folders, buckets or web hosts, and tell people by e-mail."""

import hashlib
import json
from pathlib import Path

from crm_utils.commands.delivery_targets import Target, copy_files, describe_failure, open_target
from crm_utils.commands.send_email import send_email
from crm_utils.config import Report
from crm_utils.config.delivery import Delivery
from crm_utils.core.errors import DeliveryError, ParamsError
from crm_utils.core.files import atomic_write
from crm_utils.core.formatting import MESSAGES
from crm_utils.pipeline import atomic_publish
from crm_utils.pipeline.file_modes import private_pages
from crm_utils.pipeline.manifest import read_manifest
from crm_utils.site.published import LATEST

# What is delivered beside the pages that name no customer
WITHOUT_IDS = ("workbook.xlsx", "summary.txt", "summary.json")
RECEIPT = "delivery.json"  # at the target: what was delivered
NO_SECTION = (
    "params/{name}.yaml has no section delivery; say where to deliver, for example delivery: {{to: /mnt/share/crm}} "
    "(docs/deliver.md)"
)


def deliver_report(root: Path, name: str, report: Report) -> list[str]:
    """Deliver the newest published date of a report.

    Parameters
    ----------
    root : Path
        The project's folder.
    name : str
        The name of the report.
    report : Report
        Its parameters.

    Returns
    -------
    list of str
        What was done, one line each.

    Raises
    ------
    ParamsError
        If the report says nothing about delivery, or names files that do not exist.
    DeliveryError
        If a date was never published, or a server fails.
    """
    if report.delivery is None:
        raise ParamsError(NO_SECTION.format(name=name))
    folder = root / "reports" / name
    with atomic_publish.locked(folder):
        day = read_manifest(folder / LATEST).get("analysis_date")
        if day is None:
            raise DeliveryError(f"{name} has no published date; run make report REPORT={name} first")
        files = _choose_files(folder / LATEST, report.delivery, name)
        left_out = sum(path.is_file() for path in (folder / LATEST).rglob("*")) - len(files)
    targets = [open_target(address, root, report.delivery.s3_endpoint) for address in report.delivery.to]
    old = [_old_files(target, name) for target in targets]
    receipt = json.dumps({"report": name, "analysis_date": day, "files": _hashes(files)}, indent=1).encode()
    said = []
    try:
        for target, known in zip(targets, old, strict=True):
            copy_files(target, files | {RECEIPT: receipt}, sorted(set(known) - set(files)))
            number = MESSAGES.plural(len(files), "file")
            said.append(
                f"{name} {day}: {number} copied to {target.name}; {left_out} with customer ids or data left out"
            )
        if report.delivery.email:
            said.append(_tell(root, name, day, report, files))
    except DeliveryError as error:
        done = f" Before that: {'; '.join(said)}." if said else ""
        raise DeliveryError(f"{error}{done}") from None
    return said


def _choose_files(latest: Path, delivery: Delivery, name: str) -> dict[str, bytes]:
    """Return the content of the files to deliver: those without customer ids, and those that the report names."""
    private = private_pages(latest)
    chosen = [page for page in sorted(latest.glob("*.html")) if page.name not in private]
    chosen += [latest / file for file in WITHOUT_IDS if (latest / file).exists()]
    for pattern in delivery.customer_files:
        found = sorted(path for path in latest.glob(pattern) if path.is_file())
        if not found:
            raise ParamsError(
                f"params/{name}.yaml: delivery.customer_files: no file of the report matches {pattern!r}; there are "
                f"pages (04_cltv.html), lists/*.csv, send/*.csv and data/*.parquet"
            )
        chosen += found
    return {path.relative_to(latest).as_posix(): path.read_bytes() for path in dict.fromkeys(chosen)}


def _hashes(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def _old_files(target: Target, name: str) -> list[str]:
    """Return what an earlier delivery left at a target. Files of anybody else are not replaced."""
    try:
        receipt = target.read(RECEIPT)
        taken = receipt is None and target.has("index.html")
    except Exception as error:  # each kind of storage has its own
        raise DeliveryError(
            f"{target.name} cannot be read, and nothing was delivered: {describe_failure(error)}"
        ) from None
    if taken:
        raise DeliveryError(
            f"{target.name} has an index.html that we did not deliver; choose a folder of its own for {name}"
        )
    try:
        described = json.loads(receipt) if receipt else {"report": name, "files": {}}
        owner, files = described["report"], list(described["files"])
    except (ValueError, KeyError, TypeError):
        raise DeliveryError(f"{target.name}/{RECEIPT} is damaged; remove it and deliver again") from None
    if owner != name:
        raise DeliveryError(f"{target.name} has the report {owner}; choose a folder of its own for {name}")
    return files


def _tell(root: Path, name: str, day: str, report: Report, files: dict[str, bytes]) -> str:
    """Send the summary with the first page, once for each version of it."""
    assert report.delivery is not None and report.delivery.email is not None
    email, mailed = report.delivery.email, root / ".cache" / "delivered" / f"{name}.json"
    version = hashlib.sha256(files["summary.txt"] + files["index.html"]).hexdigest()
    version = hashlib.sha256(f"{version} {email.model_dump_json()}".encode()).hexdigest()
    if mailed.exists() and json.loads(mailed.read_text(encoding="utf-8")) == version:
        return f"{name} {day}: no e-mail, because this version was sent before"
    subject = f"{' '.join(report.title.split())}, {day}"
    send_email(email, subject, files["summary.txt"].decode(), {f"{name}_{day}.html": files["index.html"]})
    with atomic_write(mailed) as unfinished:
        unfinished.write_text(json.dumps(version), encoding="utf-8")
    return (
        f"{name} {day}: summary and first page sent to {MESSAGES.plural(len(email.recipients), 'address', 'addresses')}"
    )
