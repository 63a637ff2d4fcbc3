"""The one list of everything that can be switched on: names, what they do, what they hold for.

`docs/sandbox.md` is written from this list (`python -m tui.sandbox.switches`), and a test compares the two.
"""

from __future__ import annotations

from functools import partial

from tui.sandbox import dashscope_switches
from tui.sandbox.switch import ANY, Group, Switch

GROUPS: dict[Group, str] = {
    "gateway": "Refusals of the gateway, and what stands between it and the client",
    "service": "Refusals of the service",
    "line": "The connection",
    "frames": "The form of the stream's frames; the text they carry is whole",
    "turn": "What happens in the turn itself; the history tells the same",
    "stop": "Stopping a turn",
    "lists": "Conversations and messages",
    "agents": "Custom agents, tools, models and skills",
    "reports": "Health reports and their schedules",
    "session": "Data Agent: sessions, messages, the envelope of replies",
    "events": "Data Agent: what a turn does and the form of its stream",
    "files": "Data Agent: uploads, downloads, the bucket (`PostObject`, `GetObject`)",
    **dashscope_switches.GROUPS,
    "sign-in": "STS, the sign-in page (logon-free URL), long-term memory (`Memories`)",
}

_gateway = partial(Switch, group="gateway")
_service = partial(Switch, group="service")
_line = partial(Switch, group="line")
_frames = partial(Switch, group="frames")
_turn = partial(Switch, group="turn")
_stop = partial(Switch, group="stop", action="ChatMessagesTaskStop")
_lists = partial(Switch, group="lists", action=ANY)
_agents = partial(Switch, group="agents", action=ANY)
_reports = partial(Switch, group="reports", action=ANY)
_session = partial(Switch, group="session", action=ANY)
_message = partial(Switch, group="session", action="SendChatMessage")
_events = partial(Switch, group="events", action="SendChatMessage")
_stream = partial(Switch, group="events", action="GetChatContent")
_files = partial(Switch, group="files", action="DescribeFileUploadSignature")
_sign_in = partial(Switch, group="sign-in", action=ANY)

_ALL = (
    # --- gateway: these come after the signature has been checked for real, but for clock-skew ----------------
    _gateway("wrong-key", "404 InvalidAccessKeyId.NotFound"),
    _gateway("wrong-signature", "400 SignatureDoesNotMatch"),
    _gateway("nonce-used", "400 SignatureNonceUsed"),
    _gateway("clock-skew", "the sandbox's clock is that many seconds ahead while it checks", "3600", action=ANY),
    _gateway("sts-expired", "400 InvalidSecurityToken.Expired"),
    _gateway("no-permission", "403 Forbidden.RAM with AccessDeniedDetail"),
    _gateway("throttled", "429 Throttling.User with x-acs-retry-after in ms", "200"),
    _gateway("service-unavailable", "503 ServiceUnavailable"),
    _gateway("unknown-action", "404 InvalidAction.NotFound"),
    _gateway("unknown-version", "404 InvalidVersion"),
    _gateway("html-502", "502 with an HTML page"),
    _gateway("html-200", "200 with an HTML page, as a captive portal answers"),
    _gateway("url-limit", "414 with an HTML page when the request target is longer, in bytes", "8192"),
    _gateway("redirect", "302 to another path of the sandbox, where requests are counted as `moved`"),
    _gateway("lower-error", "error bodies spell their keys code, message, requestId"),
    _gateway("xml-error", "error bodies are XML with the root Error"),
    _gateway("bare-error", "error replies have an empty body"),
    # --- service ----------------------------------------------------------------------------------------------
    _service("order-invalid", "400 InvalidOrder: no Professional Edition"),
    _service("too-many-requests", "429 TooManyRequests: more turns at once than the order allows"),
    _service("turns-at-once", "how many turns may run at once in place of 5 + 10 a package", "1"),
    _service("quota-exceeded", "429 MoQuotaExceeded: the tokens of today are used up"),
    _service("tokens-a-day", "the tokens of a day in place of 0.5e9, counted for real", "1000"),
    _service("unknown-user", "404 UserNotFound"),
    _service("moderation", "451 ContentModeration"),
    _service("invalid-parameter", "400 InvalidParameter"),
    _service("http-500", "500 InternalError"),
    _service("error-200", "200 with a JSON body that is an error of that code", "InvalidOrder"),
    # --- line -------------------------------------------------------------------------------------------------
    _line("slow-start", "that many seconds before the reply begins", "1"),
    _line("drop-before-accept", "the connection is closed before the request is taken in"),
    _line("drop-after-accept", "the question is taken in, then the connection is closed without a reply"),
    _line("drop-after", "the connection is closed after that many frames; the turn goes on", "5"),
    _line("drop-mid-frame", "the connection is closed in the middle of that frame; the turn goes on", "5"),
    _line("reset-after", "the connection is reset (RST) after that many frames; the turn goes on", "5"),
    _line("end-after", "the body ends properly after that many frames; the turn goes on", "5"),
    _line("dies-with-connection", "a turn whose connection is lost is given up by the service"),
    _line("gzip", "the body is gzip, whatever the client accepts"),
    _line("truncated-json", "a JSON reply is cut in half", action=ANY),
    _line("empty-json", "a JSON reply is {}", action=ANY),
    # --- frames -----------------------------------------------------------------------------------------------
    _frames("data-space", "a space after `data:`"),
    _frames("crlf", "lines end with CR LF"),
    _frames("event-lines", "an `event: message` line in each frame"),
    _frames("id-lines", "an `id:` line in each frame"),
    _frames("comments", "comment lines between frames"),
    _frames("multi-line-data", "the JSON of a frame over several `data:` lines"),
    _frames("bom", "a byte order mark before the first frame"),
    _frames("split-utf8", "each byte that is not ASCII goes in a chunk of its own"),
    _frames("one-byte-chunks", "every byte goes in a chunk of its own"),
    _frames("glued", "frames go out in lots of that many", "20"),
    _frames("malformed", "a broken frame is put in after that many frames", "3"),
    _frames("malformed-text", "the n-th frame with text arrives broken: only the history has its text", "3"),
    _frames("no-final-blank", "the last frame has no empty line after it"),
    _frames("no-finish", "workflow_finished is left out"),
    _frames("message-end", "the end is called message_end"),
    _frames("lower-keys", "the keys event and answer are in lower case, as in the history"),
    _frames("snake-keys", "all keys as Dify spells them: event, answer, conversation_id, task_id ..."),
    _frames("conversion-id", "ConversationId is spelt ConversionId"),
    _frames("toolcall", "the event tool_call is spelt toolcall"),
    _frames("object-answer", "the Answer of a tool_call is an object, not a string"),
    _frames("pascal-tool", "a tool's keys are ToolCallName, ToolCallId, Status, Response"),
    _frames("top-level-tool", "a tool's keys stand in the frame itself, with no Answer"),
    _frames("tool-not-json", "the Answer of a tool_call is not JSON"),
    _frames("late-task", "TaskId comes with that frame at the earliest", "6"),
    _frames("no-task", "no frame has a TaskId"),
    _frames("late-conversation", "ConversationId comes with that frame at the earliest", "4"),
    _frames("message-ids-only", "ids stand in message frames only"),
    _frames("numeric-ids", "CreatedAt is a string of milliseconds, and Id is a number"),
    _frames("null-fields", "fields without a value are there, as null"),
    _frames("empty-deltas", "message frames with an empty Answer between the others"),
    _frames("unknown-events", "events that nobody knows, Dify's node_started and ping among them"),
    _frames("unknown-keys", "keys that nobody knows, some nested"),
    _frames("bogus-event", "an event called MysqlIOException that means nothing"),
    _frames("spaced-event", "event names with spaces and capitals:  Message "),
    _frames("not-objects", "frames that are JSON but no objects: null, 1, [], a string"),
    _frames("duplicate-frames", "each frame but those with text comes twice"),
    _frames("one-frame", "each run of text comes as one frame"),
    _frames("inline", "EventMode=separate is ignored: all comes inside the Answer"),
    _frames("after-finish", "a ping and an unknown event come after workflow_finished"),
    # --- turn -------------------------------------------------------------------------------------------------
    _turn("hold", "the turn waits after that many frames until it is released (control) or stopped", "5"),
    _turn("silence", "the turn is silent for that many seconds after its fifth frame", "90"),
    _turn("pings", "a ping event before each tool"),
    _turn("empty-answer", "the turn ends without any text"),
    _turn("error-frame", "after that many frames the turn fails with an error event", "8"),
    _turn("error-frame-lower", "the same, all keys in lower case, with status", "8"),
    _turn("message-replace", "after that many frames message_replace replaces the text so far", "12"),
    _turn("huge-frame", "one delta of that many bytes", "2000000"),
    _turn("chart", "a chart event in the answer (its form is not published)"),
    # --- stop -------------------------------------------------------------------------------------------------
    _stop("stop-ignored", "stop says success, the turn goes on"),
    _stop("stop-cuts", "after a stop the body ends without workflow_finished"),
    _stop("stop-unknown", "stop answers 404 TaskNotFound"),
    # --- lists ------------------------------------------------------------------------------------------------
    _lists("sortby-empty", "{} when SortBy is given", action="GetConversations"),
    _lists("has-more-bool", "HasMore of GetConversations as a boolean", action="GetConversations"),
    _lists("ms-timestamps", "times in milliseconds"),
    _lists("iso-timestamps", "times in ISO form with Z"),
    _lists("overlapping-pages", "a page begins with the last entry of the page before"),
    _lists("endless-pages", "the same page again and again, always with HasMore"),
    _lists("newest-first", "messages newest first within the page", action="GetMessages"),
    _lists("history-lags", "the newest answer of the history lacks that many characters", "40", action="GetMessages"),
    _lists("history-empty", "the history has no messages", action="GetMessages"),
    _lists("no-answer-field", "messages without Answer: it is in the events only", action="GetMessages"),
    # --- agents -----------------------------------------------------------------------------------------------
    _agents("numeric-agent-id", "ids of agents are numbers"),
    _agents("tools-string", "Tools is one string that looks like a list"),
    _agents("enable-tools-string", "EnableTools is a string everywhere"),
    _agents("total-count", "ListCustomAgent tells TotalCount", action="ListCustomAgent"),
    _agents("agent-quota", "no more agents may be made", action="CreateCustomAgent"),
    _agents("agent-name-taken", "the name is taken by another agent", action="CreateCustomAgent"),
    # --- reports ----------------------------------------------------------------------------------------------
    _reports("inspection-seconds", "an inspection takes that many seconds", "6"),
    _reports("inspection-fails", "the inspection ends as failed", action="CreateInspectionTask"),
    _reports(
        "inspection-words",
        "the words for running, done and failed in lists (the real ones are not published)",
        "RUNNING/SUCCESS/FAILED",
    ),
    _reports("late-reports", "the list of reports is empty", action="GetStandAloneReports"),
    _reports("success-false", "200 with Success false and a Message; nothing is done"),
    _reports("user-order-invalid", "403 InvalidUserOrder: no Professional Edition"),
    _reports("permission-denied", "403 PermissionDenied: no right on the instances"),
    _reports("task-not-found", "404 TaskNotFound: the report has expired", action="GetInspectionReport"),
    # --- session ----------------------------------------------------------------------------------------------
    _session("start-up", "the runtime takes that many seconds to start", "5"),
    _session("agent-failed", "the runtime fails to start"),
    _session("session-creating", "SessionStatus stays CREATING", action="DescribeDataAgentSession"),
    _session("lower-status", "statuses in lower case"),
    _session("runtime-life", "a silent runtime is reclaimed after that many seconds (AgentId changes)", "3600"),
    _session("session-life", "a silent session is reclaimed after that many seconds", "21600"),
    _session(
        "kept-chats",
        "the file of a reclaimed session is no JSON list but `lines`, a `stream`, `strange`, or not there (`none`)",
        "lines",
    ),
    _message("session-busy", "200 SessionInBusy in snake_case, whatever the session does"),
    _session("agent-mismatch", "200 AgentMismatch", action="GetChatContent"),
    _message("any-reply-to", "ReplyTo is not checked"),
    _message("reply-to-needed", "an answer without the ask's checkpoint is refused"),
    _message("accepted-500", "the message (or file) is taken in, then 500 InternalError"),
    _message("queued", "the turn begins that many seconds after its message", "1"),
    _message("cancel-ignored", "cancel says success, the turn goes on"),
    _message("business-error", "200 with Success false and that ErrorCode", "DMS.DataAgent.Sandbox"),
    _session("camel-keys", "replies spell their keys requestId, success, data ..."),
    _session("pascal-keys", "API-key mode: replies as in signed calls"),
    _session("wrapped", "API-key mode: replies are wrapped once more in `data`"),
    _session("key-status", "API-key mode: refusals have their HTTP status, success, code and msg"),
    # --- events: those of SendChatMessage change the log of the turn, the others one connection ---------------
    _events("counting-checkpoints", "every frame of a block has a checkpoint of its own"),
    _events("event-ids", "events have an event_id"),
    _events("snapshots", "a data frame with the whole content before each content_finish"),
    _events("unfinished-block", "the turn ends inside an open block"),
    _events("object-results", "result of a tool_call_response is an object"),
    _events("old-outputs", "cells have their outputs in `outputs`"),
    _events("failure-text", "SSE_FAILURE has a plain text"),
    _stream("ask-finishes", "at an ask the stream ends with SSE_FINISH in place of staying open"),
    _stream("finish-after", "SSE_FINISH and the end after that many frames; the turn goes on", "5"),
    _stream("no-sse-finish", "streams end without SSE_FINISH"),
    _stream("heartbeat", "a heartbeat after that many seconds of silence in place of 15", "0.1"),
    _stream("bare-heartbeats", "heartbeats have no data line"),
    _stream("empty-heartbeats", "heartbeats have an empty data line"),
    _stream("no-event-lines", "frames have no `event:` line"),
    _stream("event-at", "`event:` lines end with ` at <timestamp>`"),
    _stream("upper-names", "event types and categories in upper case"),
    _stream("object-content", "JSON content of whole events is an object, not text"),
    _stream("live-only", "without Checkpoint only what comes from now on"),
    _stream("exclusive-replay", "the replay begins after the checkpoint"),
    # --- files ------------------------------------------------------------------------------------------------
    _files("policy-expired", "the upload's policy has expired already"),
    _files("policy-life", "the upload's policy is good for that many seconds", "3600"),
    _files("policy-wrong-signature", "the signature does not fit the policy"),
    _files("upload-limit", "the policy allows that many bytes", "209715200"),
    _files("slow-upload", "the bucket reads that many bytes a second", "100000", action="PostObject"),
    _files("drop-upload", "the connection is closed after that many bytes of the file", "65536", action="PostObject"),
    _files("disk-full", "507 after that many bytes of the file", "0", action="PostObject"),
    _files("no-file-id", "the callback answers without FileId", action="FileUploadCallback"),
    _files("late-files", "the agent's files are listed that many seconds late", "5", action="ListFileUpload"),
    _files("link-life", "download links are good for that many seconds", "3600", action="ListFileUpload"),
    _files("link-expired", "403: the link has expired", action="GetObject"),
    _files("drop-download", "the connection is closed after that many bytes of the object", "100", action="GetObject"),
    *dashscope_switches.SWITCHES,
    # --- sign-in ----------------------------------------------------------------------------------------------
    _sign_in("role-untrusted", "403 NoPermission: the role does not trust the caller", action="AssumeRole"),
    _sign_in("root-account", "the caller is a root account, which assumes no role"),
    _sign_in("memory-key-refused", "401 for any key", action="Memories"),
    _sign_in("memory-results", 'lists come as `{"results": [...]}`', action="Memories"),
    _sign_in("signin-refused", "401 InvalidCredential.AuthenticateFail", action="GetSigninToken"),
)

SWITCHES: dict[str, Switch] = {switch.name: switch for switch in _ALL}


def markdown() -> str:
    """The list as it stands in `docs/sandbox.md`."""
    lines: list[str] = []
    for group, title in GROUPS.items():
        lines += [f"### {title}", "", "| switch | argument | for | what it does |", "|---|---|---|---|"]
        for switch in SWITCHES.values():
            if switch.group == group:
                action = "any action" if switch.action == ANY else f"`{switch.action}`"
                default = f"`{switch.default}`" if switch.default else ""
                lines.append(f"| `{switch.name}` | {default} | {action} | {switch.text} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
