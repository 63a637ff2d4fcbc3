"""Where requests go, and that nobody on the way can read them."""

from __future__ import annotations

import pytest

from tui.services.endpoints import RDS_CENTRE, Endpoint, dms_endpoint, dms_key_endpoints, parse_endpoint, rds_endpoint
from tui.services.errors import ConfigurationError


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("", RDS_CENTRE),
        ("cn-hangzhou", RDS_CENTRE),
        ("cn-wulanchabu", RDS_CENTRE),
        ("cn-hongkong", "rdsai.cn-hongkong.aliyuncs.com"),
        ("ap-southeast-1", "rdsai.ap-southeast-1.aliyuncs.com"),
        ("no-such-region", RDS_CENTRE),
    ],
)
def test_a_region_has_its_host(region: str, host: str) -> None:
    assert rds_endpoint(region, {}) == Endpoint(f"https://{host}", host)


@pytest.mark.parametrize("region", ["cn hangzhou", "cn-hangzhou\n", "evil.example/", "CN", "区"])
def test_a_region_that_can_be_none_never_becomes_a_host(region: str) -> None:
    for find in (dms_endpoint, dms_key_endpoints):
        with pytest.raises(ConfigurationError, match="cannot be the id of a region"):
            find(region, {})
    assert dms_endpoint("", {}).host == "dms.cn-hangzhou.aliyuncs.com"


@pytest.mark.parametrize(
    ("text", "url", "loopback"),
    [
        ("https://rdsai-vpc.cn-beijing.aliyuncs.com", "https://rdsai-vpc.cn-beijing.aliyuncs.com", False),
        ("rdsai-vpc.cn-beijing.aliyuncs.com", "https://rdsai-vpc.cn-beijing.aliyuncs.com", False),
        ("https://example.com:8443/", "https://example.com:8443", False),
        ("HTTPS://Example.COM", "https://example.com", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("http://localhost:8000", "http://localhost:8000", True),
        ("http://[::1]:8000", "http://[::1]:8000", True),
    ],
)
def test_an_address_can_be_set(text: str, url: str, loopback: bool) -> None:
    found = rds_endpoint("cn-hongkong", {"YUNLIAO_RDS_ENDPOINT": text})

    assert (found.url, found.loopback) == (url, loopback)


@pytest.mark.parametrize(
    "text",
    [
        "http://rdsai.aliyuncs.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "https://",
        "https://host/path",
        "https://host?query=1",
        "https://user:secret@host",
        "https://host:99999",
        "https://ho st",
        "https://[::1",
        "https://h\x1bost",
    ],
)
def test_an_address_that_is_not_safe_or_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_endpoint(text, "YUNLIAO_RDS_ENDPOINT")

    problem = caught.value.problem
    assert "YUNLIAO_RDS_ENDPOINT" in problem.sentence
    assert "secret" not in f"{problem}"
    assert problem.remedy
