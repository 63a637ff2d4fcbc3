"""Where the services are. Source of the hosts: protocol notes 1.1."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tui.models import Problem
from tui.services.errors import ConfigurationError
from tui.text import clean_line
from tui.words import _

RDS_CENTRE = "rdsai.aliyuncs.com"
RDS_REGIONAL = frozenset(
    {
        "cn-chengdu",
        "cn-hongkong",
        "ap-northeast-1",
        "ap-southeast-1",
        "ap-southeast-3",
        "ap-southeast-5",
        "eu-central-1",
        "us-west-1",
    }
)
"""Regions with a host of their own; all others are served by the centre."""
DASHSCOPE_HOST = "dashscope.aliyuncs.com"
"""Of the mainland."""
DMS_REGION = "cn-hangzhou"
"""Where a profile names none."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    """Scheme, host and port, without a path."""
    host: str
    """As it is shown: with the port where it is not the scheme's own."""
    loopback: bool = False
    region: str = ""
    """Whose host it is; empty where the address does not say."""


def rds_endpoint(region: str, environ: Mapping[str, str]) -> Endpoint:
    """The host for a profile's `region`, unless `YUNLIAO_RDS_ENDPOINT` names one.

    This is where requests go; which region a question is about is told in the question (`Inputs.RegionId`).

    Raises:
        ConfigurationError: the variable is no usable URL.
    """
    override = environ.get("YUNLIAO_RDS_ENDPOINT", "").strip()
    if override:
        return parse_endpoint(override, "YUNLIAO_RDS_ENDPOINT")
    host = f"rdsai.{region}.aliyuncs.com" if region in RDS_REGIONAL else RDS_CENTRE
    return Endpoint(f"https://{host}", host)


def dms_endpoint(region: str, environ: Mapping[str, str]) -> Endpoint:
    """The Data Agent's host for the `region` where DMS is, unless `YUNLIAO_DMS_ENDPOINT` names one.

    Raises:
        ConfigurationError: the variable is no usable URL, or the region can be none.
    """
    region = _dms_region(region)
    override = environ.get("YUNLIAO_DMS_ENDPOINT", "").strip()
    if override:
        return replace(parse_endpoint(override, "YUNLIAO_DMS_ENDPOINT"), region=region)
    host = f"dms.{region}.aliyuncs.com"
    return Endpoint(f"https://{host}", host, region=region)


def dms_key_endpoints(region: str, environ: Mapping[str, str]) -> tuple[Endpoint, Endpoint]:
    """The Data Agent's hosts for control and stream with an API key; `YUNLIAO_DMS_ENDPOINT` stands for both.

    Raises:
        ConfigurationError: as `dms_endpoint`.
    """
    region = _dms_region(region)
    if environ.get("YUNLIAO_DMS_ENDPOINT", "").strip():
        endpoint = dms_endpoint(region, environ)
        return endpoint, endpoint
    hosts = (f"dataagent-{region}.aliyuncs.com", f"dataagent-stream-{region}.aliyuncs.com")
    control, stream = (Endpoint(f"https://{host}", host, region=region) for host in hosts)
    return control, stream


def _dms_region(region: str) -> str:
    """`region`, which is about to be part of a host's name, or the one where DMS is if none is named."""
    if re.fullmatch(r"[a-z0-9-]{0,60}", region):
        return region or DMS_REGION
    raise ConfigurationError(
        Problem(
            _("Region"),
            _("{value} cannot be the id of a region.").format(value=clean_line(region, 60)),
            _("It must be like cn-hangzhou: look at the profile and at ALIBABA_CLOUD_REGION_ID."),
            delivered="no",
        )
    )


def dashscope_endpoint(region: str, environ: Mapping[str, str]) -> Endpoint:
    """DashScope's host for a `region`, unless `YUNLIAO_DASHSCOPE_BASE_URL` names one; keys are bound to the region.

    Where no region is given, `DASHSCOPE_API_REGION` counts, as for the vendor's SDK, else it is the mainland.

    Raises:
        ConfigurationError: the variable is no usable URL.
    """
    region = region or environ.get("DASHSCOPE_API_REGION", "").strip()
    override = environ.get("YUNLIAO_DASHSCOPE_BASE_URL", "").strip()
    if override:
        for path in ("/api/v1", "/compatible-mode/v1"):  # as the vendor's own variables have it
            override = override.rstrip("/").removesuffix(path)
        return replace(parse_endpoint(override, "YUNLIAO_DASHSCOPE_BASE_URL"), region=region)
    if region == "cn-hongkong":
        host = f"{region}.{DASHSCOPE_HOST}"
    elif region.startswith("us-"):
        host = "dashscope-us.aliyuncs.com"
    else:
        host = DASHSCOPE_HOST if region.startswith("cn-") or not region else "dashscope-intl.aliyuncs.com"
    return Endpoint(f"https://{host}", host, region=region)


def parse_endpoint(text: str, name: str) -> Endpoint:
    """The endpoint in the URL `text`; `name` is where it was set. Plain http is for loopback only."""

    def refuse(reason: str) -> ConfigurationError:
        return ConfigurationError(
            Problem(
                _("Endpoint"),
                _("{name} is not usable: {reason}.").format(name=name, reason=reason),
                _("It must be like https://rdsai.aliyuncs.com; http is for this machine only."),
                delivered="no",
            )
        )

    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError as error:
        raise refuse(clean_line(str(error))) from error
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or not host.isascii() or not host.isprintable() or " " in host:
        raise refuse(_("it is no http or https address"))
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise refuse(_("only scheme, host and port may be given"))
    loopback = is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise refuse(_("without TLS everybody on the way could read it"))
    shown = f"[{host}]" if ":" in host else host
    if port is not None:
        shown = f"{shown}:{port}"
    return Endpoint(f"{parts.scheme}://{shown}", shown, loopback)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
