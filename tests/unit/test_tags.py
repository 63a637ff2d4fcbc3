"""Which names in a text are instances, and what somebody who edits tags means."""

from __future__ import annotations

import pytest

from tui.tags import MOST_FOUND, instances_in, tags_in, with_found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("why is rm-bp1k3 slow?", ["rm-bp1k3"]),
        ("主库rm-bp1k3延迟", ["rm-bp1k3"]),
        (
            "compare pc-2ze9q1 with dds-bp1a2b3c4d and r-bp1zxszhcgatnx",
            ["pc-2ze9q1", "dds-bp1a2b3c4d", "r-bp1zxszhcgatnx"],
        ),
        ("RM-BP1K3, rm-bp1k3", ["rm-bp1k3"]),
        ("`pgm-8vb4x0` (primary)\nrr-8vb4x1.", ["pgm-8vb4x0", "rr-8vb4x1"]),
        ("rm-bp1k3.mysql.rds.aliyuncs.com:3306", ["rm-bp1k3"]),
        ("an r-squared of 0.9 on a pc-based host", []),
        ("form-bp1k3 or x.rm-bp1k3", []),
        ("r-12345 and pc-abcdef are no ids", []),
        ("rm-bp1k3-replica is a name", []),
        ("", []),
    ],
)
def test_instances(text: str, expected: list[str]) -> None:
    assert instances_in(text) == expected


def test_a_list_of_all_instances_is_no_list_of_tags() -> None:
    text = "\n".join(f"rm-bp1k{number:03}" for number in range(200))
    assert instances_in(text) == [f"rm-bp1k{number:03}" for number in range(MOST_FOUND)]
    assert with_found(("incident-7",), (), instances_in(text)) == ("incident-7", *instances_in(text)[: MOST_FOUND - 1])


def test_what_was_taken_off_does_not_come_back() -> None:
    assert with_found(("a",), ("rm-bp1k3",), ["rm-bp1k3", "rm-bp1k4"]) == ("a", "rm-bp1k4")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("incident-7 #rm-bp1k3", ["incident-7", "rm-bp1k3"]),
        ("大促，订单库、 incident-7;", ["大促", "订单库", "incident-7"]),
        ("a a #a", ["a"]),
        (" # ,", []),
        ("x\x1b[31m", ["x␛[31m"]),
    ],
)
def test_typed_tags(typed: str, expected: list[str]) -> None:
    assert tags_in(typed) == expected
