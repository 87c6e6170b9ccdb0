"""Delivery to a folder, S3-compatible storage and a mail server: byte for byte, or nothing at all."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from crm_utils.commands import delivery_targets
from crm_utils.commands.delivery_targets import Target, copy_files, open_target
from crm_utils.config import Report, parse_model
from crm_utils.core.errors import DeliveryError, ParamsError
from tests.support.in_process import prepared
from tests.support.mail import mail_server
from tests.support.object_storage import BUCKET, object_storage
from tests.support.projects import SMALL_REPORT, contents, skip_or_fail

PAGES = {
    "index.html": "<h1>First page ü</h1>",
    "02_rfm.html": "<p>pages</p>",
    "01_cleaning.html": "<p>names 00042</p>",
    "customers.html": "<script>names 00042</script>",
    "06_own.html": "<table><th>customer_id</th></table>",
    "summary.txt": "Small shop\nRevenue: £5\n",
    "summary.json": "{}",
    "workbook.xlsx": "\x00\x01",
    "send/mail__champions.csv": "email\na@b.example\n",
    "data/customers.parquet": "x",
    "settings.json": "{}",
}
PUBLIC = ["02_rfm.html", "index.html", "summary.json", "summary.txt", "workbook.xlsx"]
DAY = "2024-06-30"


@pytest.fixture
def shop(tmp_path, monkeypatch, capsys):
    """A project with a published date, and its command line."""
    project = tmp_path / "project"
    (project / "params").mkdir(parents=True)
    publish(project)
    return project, prepared(project, monkeypatch, capsys)


def publish(project: Path, **changes: str) -> None:
    """Write the newest date of the report `small`, with some files of other content."""
    latest = project / "reports" / "small" / "latest"
    for name, text in (PAGES | changes).items():
        (latest / name).parent.mkdir(parents=True, exist_ok=True)
        (latest / name).write_text(text)
    (latest / "manifest.json").write_text(json.dumps({"report": "small", "analysis_date": DAY}))


def set_delivery(project: Path, **delivery: object) -> None:
    text = SMALL_REPORT + yaml.safe_dump({"delivery": delivery})
    (project / "params" / "small.yaml").write_text(text)


def of_latest(project: Path, names: list[str]) -> dict[str, bytes]:
    return {name: (project / "reports/small/latest" / name).read_bytes() for name in names}


def test_a_folder_gets_what_names_no_customer(shop):
    project, deliver = shop
    set_delivery(project, to=str(project / "share" / "crm"))
    status, said, error = deliver("deliver", "--report", "small")
    assert (status, error) == (0, "")
    assert said == f"small {DAY}: 5 files copied to {project}/share/crm; 7 with customer ids or data left out\n"
    found = contents(project / "share" / "crm")
    receipt = json.loads(found.pop("delivery.json"))
    assert found == of_latest(project, PUBLIC)
    assert (receipt["report"], receipt["analysis_date"], sorted(receipt["files"])) == ("small", DAY, PUBLIC)


def test_files_with_ids_are_copied_if_named_and_go_when_they_are_old(shop):
    project, deliver = shop
    set_delivery(project, to="share", customer_files=["01_cleaning.html", "send/*.csv"])
    assert deliver("deliver", "--report", "small")[0] == 0
    assert (project / "share/send/mail__champions.csv").exists() and (project / "share/01_cleaning.html").exists()
    (project / "share" / "notes.txt").write_text("mine")
    set_delivery(project, to="share")
    assert deliver("deliver", "--report", "small")[0] == 0
    assert set(contents(project / "share")) == {*PUBLIC, "delivery.json", "notes.txt"}
    set_delivery(project, to="share", customer_files=["sent/*.csv"])
    assert "no file of the report matches 'sent/*.csv'" in deliver("deliver", "--report", "small")[2]


@pytest.fixture
def storage(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with object_storage() as (held, address):
        yield held, address


def test_a_bucket_gets_every_byte_and_types_for_browsers(shop, storage):
    project, deliver = shop
    held, address = storage
    held.objects["other/index.html"] = b"theirs"
    set_delivery(project, to=f"s3://{BUCKET}/crm/small", s3_endpoint=address, customer_files=["send/*.csv"])
    status, said, error = deliver("deliver", "--report", "small")
    assert (status, error) == (0, "")
    assert f"6 files copied to s3://{BUCKET}/crm/small;" in said
    wanted = of_latest(project, [*PUBLIC, "send/mail__champions.csv"])
    found = held.files()
    assert found.pop("other/index.html") == b"theirs"
    assert found.pop("crm/small/delivery.json")
    assert found == {f"crm/small/{name}": content for name, content in wanted.items()}
    assert held.types["crm/small/index.html"] == "text/html; charset=utf-8"
    publish(project, **{"index.html": "newer"})
    assert deliver("deliver", "--report", "small")[0] == 0
    assert held.objects["crm/small/index.html"] == b"newer"


def test_a_bucket_that_may_not_be_written_stays_as_it_was(shop, storage):
    project, deliver = shop
    held, address = storage
    set_delivery(project, to=f"s3://{BUCKET}/crm", s3_endpoint=address)
    held.read_only = True
    status, said, error = deliver("deliver", "--report", "small")
    assert (status, said, held.objects) == (1, "", {})
    assert error.startswith(f"error: s3://{BUCKET}/crm cannot be written, and nothing was changed there: ")
    assert "ACCESS_DENIED" in error and len(error.splitlines()) == 1
    set_delivery(project, to="s3://no-such-bucket/crm", s3_endpoint=address)
    status, said, error = deliver("deliver", "--report", "small")
    assert status == 1 and "s3://no-such-bucket/crm" in error and len(error.splitlines()) == 1


def test_a_message_says_what_was_delivered_before_the_failure(shop, storage):
    project, deliver = shop
    held, address = storage
    held.read_only = True
    set_delivery(project, to=["share", f"s3://{BUCKET}/crm"], s3_endpoint=address, email=email(1))
    status, said, error = deliver("deliver", "--report", "small")
    assert (status, said) == (1, "") and len(error.splitlines()) == 1
    assert f"Before that: small {DAY}: 5 files copied to share; 7 with" in error
    assert set(contents(project / "share")) == {*PUBLIC, "delivery.json"}


class Failing:
    """A target whose n-th rename fails."""

    def __init__(self, folder: Path, number: int, afterwards: bool):
        self.target = open_target(str(folder), folder, None)
        self.number, self.afterwards, self.count = number, afterwards, 0

    def __getattr__(self, name: str):
        return getattr(self.target, name)

    def move(self, name: str, to: str) -> None:
        self.count += 1
        if self.count == self.number or (self.afterwards and self.count > self.number):
            raise OSError("connection lost")
        self.target.move(name, to)


@pytest.mark.parametrize("number", range(1, 7))
def test_a_failure_half_way_restores_what_was_there(tmp_path, number):
    before = {"index.html": b"old", "02.html": b"old 2", "send/a.csv": b"a"}
    copy_files(open_target(str(tmp_path), tmp_path, None), before, [])
    target = Failing(tmp_path, number, afterwards=False)
    new = {"index.html": b"new", "02.html": b"new 2", "03.html": b"new 3"}
    with pytest.raises(DeliveryError, match="nothing was changed there: connection lost"):
        copy_files(target, new, ["send/a.csv"])
    assert contents(tmp_path) == before
    copy_files(target.target, new, ["send/a.csv"])
    assert contents(tmp_path) == new


def test_a_failure_that_cannot_be_taken_back_says_where_the_old_files_are(tmp_path):
    copy_files(open_target(str(tmp_path), tmp_path, None), {"index.html": b"old"}, [])
    with pytest.raises(DeliveryError, match=r"what was there before is in its folder (\S+)/old") as failed:
        copy_files(Failing(tmp_path, 2, afterwards=True), {"index.html": b"new"}, [])
    folder = next(word for word in str(failed.value).split() if word.startswith(".crm-"))
    assert (tmp_path / folder.rstrip(":") / "index.html").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"index.html": "theirs"}, "has an index.html that we did not deliver; choose a folder of its own for small"),
        ({"delivery.json": '{"report": "other", "files": {}}'}, "has the report other; choose a folder of its own"),
        ({"delivery.json": "[]"}, "delivery.json is damaged"),
    ],
)
def test_files_of_somebody_else_are_not_replaced(shop, files, message):
    project, deliver = shop
    (project / "share").mkdir()
    for name, text in files.items():
        (project / "share" / name).write_text(text)
    before = contents(project / "share")
    set_delivery(project, to=["elsewhere", "share"])
    status, _, error = deliver("deliver", "--report", "small")
    assert status == 1 and message in error
    assert contents(project / "share") == before and not (project / "elsewhere").exists()


def email(port: int, **changes: object) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": port, "security": "none", "sender": "crm@shop.example",
            "recipients": ["board@shop.example", "cfo@shop.example"]} | changes  # fmt: skip


def test_the_summary_is_mailed_once_with_the_first_page(shop, monkeypatch):
    project, deliver = shop
    monkeypatch.setenv("SMTP_PASSWORD", "s3cret")
    with mail_server() as box:
        box.password = "s3cret"
        set_delivery(project, email=email(box.port, user="crm", password="${SMTP_PASSWORD}"))
        status, said, error = deliver("deliver", "--report", "small")
        assert (status, error) == (0, "")
        assert said == f"small {DAY}: summary and first page sent to 2 addresses\n"
        assert "was sent before" in deliver("deliver", "--report", "small")[1]
        publish(project, **{"summary.txt": "newer\n"})
        deliver("deliver", "--report", "small")
    (mail, newer), latest = box.mails, of_latest(project, ["index.html"])
    assert (mail["Subject"], mail["To"]) == (f"Small shop, {DAY}", "board@shop.example, cfo@shop.example")
    assert mail.get_body().get_content().replace("\r\n", "\n") == PAGES["summary.txt"]
    (page,) = mail.iter_attachments()
    assert (page.get_filename(), page.get_content_type()) == (f"small_{DAY}.html", "text/html")
    assert page.get_payload(decode=True) == latest["index.html"]
    assert newer.get_body().get_content().strip() == "newer"
    assert box.logins == ["crm", "crm"]


def test_the_mail_is_encrypted(shop, tmp_path, monkeypatch):
    """With a certificate that this machine trusts; another one is refused."""
    project, deliver = shop
    certificate = tmp_path / "server.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate, "-out",
         tmp_path / "only.pem"],
        capture_output=True,
    )  # fmt: skip
    if made.returncode:
        skip_or_fail(f"openssl makes no certificate: {made.stderr.decode()}")
    certificate.write_bytes(certificate.read_bytes() + (tmp_path / "only.pem").read_bytes())
    with mail_server(certificate) as box:
        set_delivery(project, email=email(box.port, security="starttls"))
        status, _, error = deliver("deliver", "--report", "small")
        assert status == 1 and "self" in error and "certificate" in error and box.mails == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "only.pem"))
        assert deliver("deliver", "--report", "small")[0] == 0
    assert box.encrypted == [True]


def test_a_mail_server_that_fails_is_named_in_one_message_without_the_password(shop, monkeypatch):
    project, deliver = shop
    monkeypatch.setenv("SMTP_PASSWORD", "wrong-Zq9")
    with mail_server() as box:
        box.password = "right"
        set_delivery(project, email=email(box.port, user="crm", password="${SMTP_PASSWORD}"))
        status, said, error = deliver("deliver", "--report", "small")
        assert (status, said) == (1, "") and "535" in error and len(error.splitlines()) == 1
        log = next((project / "reports" / "_logs").glob("*_deliver.log"))
        assert "wrong-Zq9" not in error + log.read_text()
        box.refused = ("cfo@",)
        set_delivery(project, email=email(box.port))
        assert (
            "refused the recipients cfo@shop.example; the others got it" in deliver("deliver", "--report", "small")[2]
        )
        box.refused = ("@",)
        assert "it refuses every recipient (unknown here)" in deliver("deliver", "--report", "small")[2]
        port = box.port
    status, _, error = deliver("deliver", "--report", "small")
    assert status == 1 and f"no e-mail was sent by 127.0.0.1:{port}: " in error
    monkeypatch.delenv("SMTP_PASSWORD")
    set_delivery(project, email=email(port, user="crm", password="${SMTP_PASSWORD}"))
    assert (
        "needs the environment variable SMTP_PASSWORD, which is not set" in deliver("deliver", "--report", "small")[2]
    )


def test_a_report_without_section_or_date_says_what_to_do(shop):
    project, deliver = shop
    (project / "params" / "small.yaml").write_text(SMALL_REPORT)
    assert "has no section delivery; say where to deliver" in deliver("deliver", "--report", "small")[2]
    assert "make deliver REPORT=shop" in deliver("deliver")[2]
    set_delivery(project, to="share")
    (project / "reports/small/latest/manifest.json").unlink()
    assert (
        "small has no published date; run make report REPORT=small first" in deliver("deliver", "--report", "small")[2]
    )


@pytest.mark.parametrize(
    ("delivery", "message"),
    [
        ({}, "set to, email or both"),
        ({"to": "ftp://host/x"}, "ftp:// is not supported; use a folder, s3:// or sftp://"),
        ({"to": "s3:///x"}, "names no bucket"),
        ({"to": "sftp://me:secret@host/x"}, "write the password as ${NAME}"),
        ({"to": "x", "customer_files": ["../small/*"]}, "is not in the folder of the report"),
        ({"email": email(25, password="secret", user="me")}, "write the password as ${NAME}"),
        ({"email": email(25, user="me")}, "set both user and password"),
        ({"email": email(25, host="mail.example", user="me", password="${P}")}, "would send the password unencrypted"),
        ({"email": email(25, recipients=["nobody"])}, "'nobody' is not an e-mail address"),
    ],
)
def test_a_wrong_section_is_refused(delivery, message):
    with pytest.raises(ParamsError) as refused:
        parse_model(yaml.safe_load(SMALL_REPORT) | {"delivery": delivery}, Report, "params/small.yaml")
    assert message in str(refused.value) and "secret@" not in str(refused.value)


def test_a_host_without_its_packages_or_password_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("SFTP_PASSWORD", raising=False)
    with pytest.raises(DeliveryError, match="needs the environment variable SFTP_PASSWORD"):
        open_target("sftp://me:${SFTP_PASSWORD}@host/x", tmp_path, None)
    monkeypatch.setattr(
        delivery_targets, "_open_host", lambda *_: (_ for _ in ()).throw(OSError("no route, me:x@host"))
    )
    with pytest.raises(DeliveryError, match=r"sftp://me@host/x cannot be reached: no route"):
        open_target("sftp://me@host/x", tmp_path, None)


def test_a_web_host_is_written_through_its_own_calls(tmp_path):
    """A stand-in for SFTP, which can rename a file but takes no argument for folders."""
    local = pytest.importorskip("fsspec.implementations.local", reason="make engines")

    class Host(local.LocalFileSystem):
        def mv(self, old: str, new: str) -> None:
            Path(old).rename(new)

    files = delivery_targets.PyFileSystem(delivery_targets._HostHandler(Host()))
    target = Target(files, str(tmp_path / "web"), "sftp://host/web")
    copy_files(target, {"index.html": b"old", "send/a.csv": b"a"}, [])
    copy_files(target, {"index.html": b"new", "02.html": b"2"}, ["send/a.csv"])
    assert contents(tmp_path / "web") == {"index.html": b"new", "02.html": b"2"}


def test_a_target_is_only_a_folder(tmp_path):
    target: Target = open_target(f"file://{tmp_path}/a%20b", tmp_path, None)
    target.write("deep/er/x.txt", b"1")
    assert (tmp_path / "a b" / "deep" / "er" / "x.txt").read_bytes() == target.read("deep/er/x.txt") == b"1"
    assert target.read("y") is None
