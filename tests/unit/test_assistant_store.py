"""What is kept of assistants here: versions, profiles, drafts, agreements; private, whole, no secret."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tests.unit.test_assistant_files import ADDER, CANARY, LOCAL, MCP
from tui.assistants.store import VERSIONS, AssistantStore


@pytest.fixture
def clock() -> Callable[[], datetime]:
    begin, ticks = datetime(2026, 11, 20, 12, tzinfo=UTC), count()
    return lambda: begin + timedelta(minutes=next(ticks))


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Callable[[], datetime]) -> AssistantStore:
    return AssistantStore(tmp_path / "state" if request.param == "disk" else None, clock)


def test_the_newest_versions_are_kept(store: AssistantStore) -> None:
    assert not store.versions("asst_1")
    for number in range(VERSIONS + 5):
        store.add_version(replace(ADDER, name=f"v{number}"), "saved")
    held = store.versions("asst_1")
    assert [version.entry.name for version in held] == [f"v{number}" for number in range(VERSIONS + 4, 4, -1)]
    assert held[0].at > held[-1].at
    assert held[0].entry.over(ADDER) == replace(ADDER, name=f"v{VERSIONS + 4}")


def test_the_state_before_is_kept_where_it_is_another(store: AssistantStore) -> None:
    one, two, three, four = (replace(ADDER, name=name) for name in ("one", "two", "three", "four"))
    store.add_version(two, "saved", found=one)
    store.add_version(three, "saved", found=two)
    store.add_version(four, "saved", found=replace(three, description="by somebody else"))
    assert [(version.why, version.entry.name) for version in reversed(store.versions("asst_1"))] == [
        ("found", "one"),
        ("saved", "two"),
        ("saved", "three"),
        ("found", "three"),
        ("saved", "four"),
    ]
    assert store.edited_ids() == ("asst_1",)


def test_the_header_of_a_server_is_in_its_profile_and_in_no_version(store: AssistantStore, tmp_path: Path) -> None:
    store.put_profile(MCP)
    store.add_version(MCP, "saved")
    assert store.profiles() == (MCP,)
    assert store.versions(MCP.id)[0].entry.over(MCP) == MCP
    files = [path for path in tmp_path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert {path.name for path in files} <= {"profiles.toml"}


def test_profiles(store: AssistantStore) -> None:
    other = replace(LOCAL, id="p2", name="other")
    for profile in (LOCAL, other, replace(LOCAL, name="renamed")):
        store.put_profile(profile)
    assert store.profiles() == (replace(LOCAL, name="renamed"), other)
    store.drop_profile("p1")
    assert store.profiles() == (other,)


def test_agreements(store: AssistantStore) -> None:
    store.confirm("a")
    store.confirm("b")
    assert store.confirmed() == {"a", "b"}


@pytest.fixture
def folder(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[Path]:
    os.umask(0)
    store = AssistantStore(tmp_path / "state", clock)
    store.add_version(replace(ADDER, name="x"), "saved", found=ADDER)
    store.put_profile(LOCAL)
    store.confirm("a")
    yield tmp_path / "state"
    os.umask(0o077)


def test_all_is_private_and_holds_no_secret(folder: Path) -> None:
    found = [path for path in folder.rglob("*")]
    assert len(found) > 6
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()


def test_what_is_broken_is_set_aside(folder: Path, clock: Callable[[], datetime]) -> None:
    store = AssistantStore(folder, clock)
    for name in ("profiles.toml", "commands.json", "versions/asst_1.json"):
        (folder / "assistants" / name).write_bytes(b"\xff{ half")
    assert not store.profiles()
    assert not store.confirmed()
    assert not store.versions("asst_1")
    store.put_profile(LOCAL)
    store.add_version(ADDER, "saved")
    assert store.profiles() == (LOCAL,)
    assert len(store.versions("asst_1")) == 1
    aside = [path for path in folder.rglob("*.corrupt-*")]
    assert {path.read_bytes() for path in aside} == {b"\xff{ half"}
    assert len(aside) == 3


def test_an_id_is_no_path(folder: Path, clock: Callable[[], datetime]) -> None:
    store = AssistantStore(folder, clock)
    ids = ["../../escaped", "..", "a/b", "a_b", "x" * 190]
    for name in ids:
        store.add_version(replace(ADDER, id=name, name=name), "saved")
    assert {version.entry.id for name in ids for version in store.versions(name)} == set(ids)
    assert {path.name for path in folder.parent.iterdir()} <= {"state", "home"}
    assert {path.name for path in folder.iterdir()} == {"assistants"}


def test_two_windows_lose_nothing(folder: Path) -> None:
    def put(number: int) -> None:
        AssistantStore(folder).put_profile(replace(LOCAL, id=f"p{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(24)))
    assert {profile.id for profile in AssistantStore(folder).profiles()} == {f"p{number}" for number in range(24)}
