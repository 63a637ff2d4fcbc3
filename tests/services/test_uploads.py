"""Uploads and downloads: checks before, every step that can fail, nothing sent where it should not go."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.services.dms_desk import data_agent, orders, set_faults, upload
from tests.turns.desk import control
from tui.sandbox.server import SandboxServer
from tui.services.dms import DmsDataAgent
from tui.services.dms_files import RemoteFile, link_expiry
from tui.services.downloads import Fetched, download
from tui.services.errors import ConfigurationError, ServiceError
from tui.services.oss import parse_url
from tui.services.upload_checks import MAX_SIZE, check_file
from tui.services.uploads import Progress, Registration, Upload, register


@pytest.fixture
async def service(sandbox: SandboxServer) -> AsyncIterator[DmsDataAgent]:
    async with data_agent(sandbox) as made:
        yield made


def state(server: SandboxServer) -> dict[str, object]:
    return control(server, "state")["dms"]  # type: ignore[no-any-return]  # JSON


def forms(server: SandboxServer) -> list[dict[str, object]]:
    return state(server)["forms"]  # type: ignore[return-value]  # JSON


async def run(made: Upload) -> list[Progress]:
    return [progress async for progress in made.run()]


def new(service: DmsDataAgent, path: Path) -> Upload:
    return Upload(service.files, check_file(path), tick=0.01)


# --- uploads -------------------------------------------------------------------------------------------------------


async def test_an_upload_in_its_steps(service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path) -> None:
    path = orders(tmp_path / "订单 5月.csv", 20_000)
    made = new(service, path)
    seen = await run(made)
    steps = list(dict.fromkeys(progress.step for progress in seen))
    assert steps == ["leave", "send", "register", "done"]
    assert seen[-1].file_id == made.file_id != ""
    assert seen[-1].sent == seen[-1].size == path.stat().st_size
    assert all(progress.registration is not None for progress in seen if progress.step == "register")
    [form] = forms(sandbox)
    fields = ["success_action_status", "policy", "x-oss-signature", "x-oss-signature-version", "x-oss-credential"]
    assert form["fields"] == [*fields, "x-oss-date", "key", "x-oss-security-token", "file"]
    assert (form["status"], form["file_type"], form["size"]) == (200, "text/csv", path.stat().st_size)
    [listed] = await service.files.list()
    assert (listed.id, listed.name, listed.size) == (made.file_id, "订单 5月.csv", path.stat().st_size)


async def test_leave_that_expired_is_asked_for_anew(
    service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path
) -> None:
    control(sandbox, "faults", {"once": ["policy-expired"]})
    seen = await run(new(service, orders(tmp_path / "a.csv", 10)))
    assert seen[-1].step == "done"
    assert [form["status"] for form in forms(sandbox)] == [403, 200]


async def test_leave_that_grew_old_here_is_not_used(
    service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    made = Upload(service.files, check_file(orders(tmp_path / "a.csv", 10)), now=lambda: now)
    set_faults(sandbox, "drop-upload=1")
    assert (await run(made))[-1].problem is not None
    set_faults(sandbox)
    now = now.replace(year=now.year + 1)
    assert (await run(made))[-1].step == "done"
    assert control(sandbox, "state")["received"]["DescribeFileUploadSignature"] == 2


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("drop-upload=10", "send"),
        ("disk-full=0", "send"),
        ("service-unavailable@PostObject", "send"),
        ("redirect@PostObject", "send"),
        ("policy-wrong-signature", "send"),
        ("drop-before-accept@FileUploadCallback", "register"),
        ("no-permission@DescribeFileUploadSignature", "leave"),
        ("business-error@FileUploadCallback", "register"),
    ],
)
async def test_a_step_that_fails_says_so_and_is_taken_again(
    fault: str, step: str, service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path
) -> None:
    set_faults(sandbox, fault)
    made = new(service, orders(tmp_path / "a.csv", 100))
    failed = (await run(made))[-1]
    assert failed.problem is not None
    assert (failed.step, made.step) == (step, step)
    sent = len(forms(sandbox))
    set_faults(sandbox)
    if fault == "policy-wrong-signature":
        made = new(service, made.check.path)
    assert (await run(made))[-1].step == "done"
    assert len(forms(sandbox)) - sent == (0 if step == "register" else 1), "what was done stays done"
    assert len(await service.files.list()) == 1
    assert control(sandbox, "state")["moved"] == 0
    assert "credentials leaked" not in state(sandbox)["counts"]  # type: ignore[operator]  # JSON


@pytest.mark.parametrize("fault", ["drop-after-accept", "accepted-500", "no-file-id"])
async def test_a_callback_whose_answer_was_lost_is_found(
    fault: str, service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path
) -> None:
    set_faults(sandbox, f"{fault}@FileUploadCallback")
    made = new(service, orders(tmp_path / "a.csv", 10))
    last = (await run(made))[-1]
    if last.problem is not None:
        last = (await run(made))[-1]
    [listed] = await service.files.list()
    assert last.file_id == listed.id
    assert state(sandbox)["counts"]["callbacks"] == 1  # type: ignore[index]  # JSON


async def test_a_registration_is_finished_by_a_later_run(
    service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path
) -> None:
    set_faults(sandbox, "drop-before-accept@FileUploadCallback")
    made = new(service, orders(tmp_path / "a.csv", 10))
    kept: Registration | None = None
    async for progress in made.run():
        kept = progress.registration or kept
    assert kept is not None
    set_faults(sandbox)
    async with data_agent(sandbox) as later:
        file_id = await register(later.files, kept)
        assert await register(later.files, kept) == file_id
        assert [file.id for file in await later.files.list()] == [file_id]


async def test_an_upload_can_be_cancelled(service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path) -> None:
    set_faults(sandbox, "slow-upload=50000")
    made = new(service, orders(tmp_path / "a.csv", 50_000))
    events = made.run()
    async for progress in events:
        if progress.step == "send" and progress.sent:
            break
    await events.aclose()
    assert made.step == "send"
    set_faults(sandbox)
    assert (await run(made))[-1].step == "done"


async def test_a_file_that_changed_meanwhile_is_not_sent(service: DmsDataAgent, tmp_path: Path) -> None:
    path = orders(tmp_path / "a.csv", 10)
    made = new(service, path)
    orders(path, 11)
    failed = (await run(made))[-1]
    assert failed.problem is not None
    assert "changed" in failed.problem.sentence


@pytest.mark.parametrize(
    "url",
    [
        "http://bucket.oss-cn-hangzhou.aliyuncs.com",
        "ftp://bucket",
        "https://",
        "https://user:word@bucket",
        "https://a b/",
        "file:///etc/passwd",
        "https://bücket/",
        "https://[b/",
        "https://300.300.300.300/",
        "http://127.0.0.1:9200/_all",  # that only a service on this machine may name
        "https://localhost/",
        "https://[::1]/",
    ],
)
def test_files_go_over_https_only(url: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_url(url)


def test_addresses_are_taken_as_they_are() -> None:
    endpoint, target = parse_url("https://b.oss-cn-hangzhou.aliyuncs.com/a%2Fb/c.csv?Signature=x%2By%3D&Expires=1")
    assert endpoint.url == "https://b.oss-cn-hangzhou.aliyuncs.com"
    assert target == "/a%2Fb/c.csv?Signature=x%2By%3D&Expires=1"
    assert parse_url("http://127.0.0.1:8080/oss/b", local=True)[0].loopback
    assert parse_url("b.oss-cn-hangzhou.aliyuncs.com")[0].url.startswith("https://")


# --- checks --------------------------------------------------------------------------------------------------------


def workbook(path: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "订单"
    book.active.append(["day", "amount"])
    book.active.append(["2026-05-01", 12.5])
    book.create_sheet("Other")
    book.save(path)
    return path


def test_what_may_be_uploaded_is_shown_first(tmp_path: Path) -> None:
    found = check_file(orders(tmp_path / "a.csv", 50_000))
    assert found.problem is None
    assert found.preview is not None
    assert found.preview.columns == ("day", "shop", "区域", "amount", "refunded")
    assert len(found.preview.rows) == 5
    found = check_file(workbook(tmp_path / "b.xlsx"))
    assert found.problem is None
    assert found.sheets == ("订单", "Other")
    assert found.preview is not None
    assert (found.preview.columns, found.preview.rows) == (("day", "amount"), (("2026-05-01", "12.5"),))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_of_any_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("区域;销量\n华东;12\n", encoding=encoding)
    found = check_file(path)
    assert found.problem is None
    assert found.preview is not None
    assert found.preview.columns == ("区域", "销量")


def test_what_may_not_be_uploaded(tmp_path: Path) -> None:
    def refused(name: str, content: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        found = check_file(path)
        assert found.problem is not None, name
        return found.problem.sentence

    xlsx = workbook(tmp_path / "good.xlsx").read_bytes()
    assert "csv, xlsx and xls" in refused("a.pdf", b"x")
    assert "empty" in refused("a.csv", b"")
    assert "no text" in refused("b.csv", bytes(range(256)) * 10)
    assert "workbook" in refused("c.csv", xlsx)
    assert "no Excel" in refused("d.xlsx", b"a,b\n")
    assert "old" in refused("e.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    assert ".xlsx" in refused("f.xls", xlsx)
    assert "no Excel" in refused("g.xls", b"a,b\n")
    with zipfile.ZipFile(tmp_path / "h.xlsx", "w") as archive:
        archive.writestr("hello.txt", "x")
    assert check_file(tmp_path / "h.xlsx").problem is not None
    large = tmp_path / "i.csv"
    with large.open("wb") as file:
        file.truncate(MAX_SIZE + 1)
    assert "200 MB" in check_file(large).problem.sentence  # type: ignore[union-attr]  # it has one
    assert check_file(tmp_path).problem is not None
    assert check_file(tmp_path / "missing.csv").problem is not None
    with pytest.raises(ValueError):
        Upload(None, check_file(large))  # type: ignore[arg-type]  # it is refused before


def test_a_workbook_of_a_zip_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx")
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")  # of the central directory; its needed version stands at 6
    data[entry + 6] = 0xFF
    path.write_bytes(data)
    assert check_file(path).problem is not None


def test_a_broken_workbook_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx")
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 2] = b"\xff" * (len(data) // 2 - len(data) // 3)
    path.write_bytes(data)
    assert check_file(path).problem is not None


# --- downloads -----------------------------------------------------------------------------------------------------


async def uploaded(service: DmsDataAgent, folder: Path, rows: int = 3000) -> tuple[RemoteFile, bytes]:
    path = orders(folder / "orders.csv", rows)
    made = await upload(service, path)
    [file] = [file for file in await service.files.list() if file.id == made.file_id]
    return file, path.read_bytes()


async def fetch(service: DmsDataAgent, file: RemoteFile, folder: Path) -> Fetched:
    return [step async for step in download(service.files, file, folder)][-1]


async def test_a_download_is_whole_private_and_over_nothing(service: DmsDataAgent, tmp_path: Path) -> None:
    file, content = await uploaded(service, tmp_path)
    folder = tmp_path / "down"
    first, second = await fetch(service, file, folder), await fetch(service, file, folder)
    assert [found.path.name for found in (first, second) if found.path] == ["orders.csv", "orders (2).csv"]
    for found in (first, second):
        assert found.path is not None
        assert found.path.read_bytes() == content
        assert found.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["orders (2).csv", "orders.csv"]


async def test_a_link_that_expired_is_renewed(service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path) -> None:
    file, content = await uploaded(service, tmp_path)
    control(sandbox, "faults", {"once": ["link-expired"]})
    found = await fetch(service, file, tmp_path / "down")
    assert found.path is not None
    assert found.path.read_bytes() == content


async def test_a_download_that_breaks_goes_on_where_it_did(
    service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path
) -> None:
    file, content = await uploaded(service, tmp_path)
    control(sandbox, "faults", {"once": ["drop-download=1000"]})
    found = await fetch(service, file, tmp_path / "down")
    assert found.path is not None
    assert found.path.read_bytes() == content


async def test_a_download_that_fails_leaves_nothing(
    service: DmsDataAgent, sandbox: SandboxServer, tmp_path: Path
) -> None:
    file, _content = await uploaded(service, tmp_path)
    set_faults(sandbox, "drop-download=0")
    with pytest.raises(ServiceError):
        await fetch(service, file, tmp_path / "down")
    assert not [*(tmp_path / "down").iterdir()]


async def test_a_name_from_the_service_cannot_leave_the_folder(service: DmsDataAgent, tmp_path: Path) -> None:
    file, _content = await uploaded(service, tmp_path)
    evil = RemoteFile(file.id, "../../.bashrc", link=file.link, link_until=file.link_until)
    found = await fetch(service, evil, tmp_path / "down")
    assert found.path is not None
    assert found.path.parent == tmp_path / "down"
    assert not found.path.name.startswith(".")


async def test_a_deleted_file_is_gone(service: DmsDataAgent, tmp_path: Path) -> None:
    file, _content = await uploaded(service, tmp_path)
    await service.files.delete(file.id)
    assert await service.files.list() == ()


def test_when_links_end() -> None:
    asked = datetime(2026, 1, 1, tzinfo=UTC)
    assert link_expiry("https://b/x?Expires=1767326645&Signature=y", asked) == datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC)
    new = link_expiry("https://b/x?x-oss-date=20260102T030405Z&x-oss-expires=3600", asked)
    assert new == datetime(2026, 1, 2, 4, 4, 5, tzinfo=UTC)
    for odd in ("", "?x-oss-date=20260102T030405Z&x-oss-expires=" + "9" * 30, "?x-oss-expires=1&x-oss-date=never"):
        assert link_expiry(f"https://b/x{odd}", asked) == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert link_expiry("https://[b/x", asked) == datetime(2026, 1, 1, 1, tzinfo=UTC)
