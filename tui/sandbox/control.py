"""The sandbox's own endpoints under `/_sandbox/`: nothing of the vendor's looks like them.

They play the parts that no API has (the console's approval button), switch faults, and tell what was counted.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tui.sandbox.world import World

_LOCAL = ("127.0.0.1", "localhost")


def decide(world: World, round_id: str, call_id: str, decision: str) -> None:
    """Approve or reject one call of a round.

    Raises:
        LookupError: no such round or call.
        ValueError: no such decision.
    """
    found = world.find_round(round_id)
    if found is None or call_id not in found[1].calls:
        raise LookupError(f"no call {call_id!r} in a round {round_id!r}")
    if decision not in ("approved", "rejected"):
        raise ValueError("a decision is approved or rejected")
    conversation, waiting = found
    conversation.decide(waiting, call_id, "approved" if decision == "approved" else "rejected")
    world.conversations.save(conversation)


async def _json(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    data = json.loads(text) if text.strip() else {}
    if not isinstance(data, dict):
        raise ValueError("the body is a JSON object")
    return data


def routes(world: World) -> list[web.RouteDef]:
    """The routes of the control endpoint."""

    async def state(request: web.Request) -> web.Response:
        return web.json_response(world.describe())

    async def faults(request: web.Request) -> web.Response:
        data = await _json(request)
        if "set" in data:
            world.board.set(data["set"])
        world.board.add_once(data.get("once", []))
        return web.json_response(world.board.describe())

    async def approvals(request: web.Request) -> web.Response:
        data = await _json(request)
        decide(world, request.match_info["round"], str(data.get("call_id")), str(data.get("decision")))
        return web.json_response({"ok": True})

    async def release(request: web.Request) -> web.Response:
        return web.json_response({"released": world.release()})

    async def pace(request: web.Request) -> web.Response:
        world.set_pace((await _json(request)).get("pace", "natural"))
        return web.json_response({"rate": str(world.pace.rate)})

    async def sts(request: web.Request) -> web.Response:
        return web.json_response(world.issue_temporary(float((await _json(request)).get("seconds", 3600))))

    async def credentials(request: web.Request) -> web.Response:
        """In the form that the vendor's credential chain reads from ALIBABA_CLOUD_CREDENTIALS_URI."""
        key = world.issue_temporary(float(request.query.get("seconds", 3600)))
        return web.json_response(
            {
                "Code": "Success",
                "AccessKeyId": key["access_key_id"],
                "AccessKeySecret": key["access_key_secret"],
                "SecurityToken": key["security_token"],
                "Expiration": key["expiration"],
            }
        )

    async def clock(request: web.Request) -> web.Response:
        world.advance(float((await _json(request)).get("advance", 0)))
        return web.json_response({"ahead": world.ahead})

    async def reset(request: web.Request) -> web.Response:
        await world.reset()
        return web.json_response({"ok": True})

    async def moved(request: web.Request) -> web.Response:
        world.counts.moved += 1
        return web.json_response({"RequestId": world.new_request_id(), "Data": [], "moved": True})

    def guarded(handler: Any) -> Any:
        async def guard(request: web.Request) -> web.StreamResponse:
            # A page in a browser must not reach this by a name that points to loopback.
            if request.url.host not in _LOCAL or "Origin" in request.headers:
                return web.json_response({"error": "from this machine's own programs only"}, status=403)
            try:
                response: web.StreamResponse = await handler(request)
            except LookupError as error:
                return web.json_response({"error": str(error)}, status=404)
            except (ValueError, TypeError) as error:
                return web.json_response({"error": str(error)}, status=400)
            return response

        return guard

    return [
        web.get("/_sandbox/state", guarded(state)),
        web.post("/_sandbox/faults", guarded(faults)),
        web.post("/_sandbox/approvals/{round}", guarded(approvals)),
        web.post("/_sandbox/release", guarded(release)),
        web.post("/_sandbox/pace", guarded(pace)),
        web.post("/_sandbox/sts", guarded(sts)),
        web.get("/_sandbox/credentials", guarded(credentials)),
        web.post("/_sandbox/clock", guarded(clock)),
        web.post("/_sandbox/reset", guarded(reset)),
        web.route("*", "/_sandbox/moved", moved),
    ]
