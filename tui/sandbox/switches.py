"""The one list of everything that can be switched on: names, what they do, what they hold for.

`docs/sandbox.md` is written from this list (`python -m tui.sandbox.switches`), and a test compares the two.
"""

from __future__ import annotations

from tui.sandbox import dashscope_switches
from tui.sandbox.switch import Group, Switch

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

__all__ = ["GROUPS", "SWITCHES", "Group", "Switch", "markdown"]

_ALL = (
    # --- gateway: these come after the signature has been checked for real, but for clock-skew -----------------
    Switch("wrong-key", "gateway", "404 InvalidAccessKeyId.NotFound"),
    Switch("wrong-signature", "gateway", "400 SignatureDoesNotMatch"),
    Switch("nonce-used", "gateway", "400 SignatureNonceUsed"),
    Switch("clock-skew", "gateway", "the sandbox's clock is that many seconds ahead while it checks", "3600", "*"),
    Switch("sts-expired", "gateway", "400 InvalidSecurityToken.Expired"),
    Switch("no-permission", "gateway", "403 Forbidden.RAM with AccessDeniedDetail"),
    Switch("throttled", "gateway", "429 Throttling.User with x-acs-retry-after in ms", "200"),
    Switch("service-unavailable", "gateway", "503 ServiceUnavailable"),
    Switch("unknown-action", "gateway", "404 InvalidAction.NotFound"),
    Switch("unknown-version", "gateway", "404 InvalidVersion"),
    Switch("html-502", "gateway", "502 with an HTML page"),
    Switch("html-200", "gateway", "200 with an HTML page, as a captive portal answers"),
    Switch("url-limit", "gateway", "414 with an HTML page when the request target is longer, in bytes", "8192"),
    Switch("redirect", "gateway", "302 to another path of the sandbox, where requests are counted as `moved`"),
    Switch("lower-error", "gateway", "error bodies spell their keys code, message, requestId"),
    Switch("xml-error", "gateway", "error bodies are XML with the root Error"),
    Switch("bare-error", "gateway", "error replies have an empty body"),
    # --- service ----------------------------------------------------------------------------------------------
    Switch("order-invalid", "service", "400 InvalidOrder: no Professional Edition"),
    Switch("too-many-requests", "service", "429 TooManyRequests: more turns at once than the order allows"),
    Switch("turns-at-once", "service", "how many turns may run at once in place of 5 + 10 a package", "1"),
    Switch("quota-exceeded", "service", "429 MoQuotaExceeded: the tokens of today are used up"),
    Switch("tokens-a-day", "service", "the tokens of a day in place of 0.5e9, counted for real", "1000"),
    Switch("unknown-user", "service", "404 UserNotFound"),
    Switch("moderation", "service", "451 ContentModeration"),
    Switch("invalid-parameter", "service", "400 InvalidParameter"),
    Switch("http-500", "service", "500 InternalError"),
    Switch("error-200", "service", "200 with a JSON body that is an error of that code", "InvalidOrder"),
    # --- line -------------------------------------------------------------------------------------------------
    Switch("slow-start", "line", "that many seconds before the reply begins", "1"),
    Switch("drop-before-accept", "line", "the connection is closed before the request is taken in"),
    Switch("drop-after-accept", "line", "the question is taken in, then the connection is closed without a reply"),
    Switch("drop-after", "line", "the connection is closed after that many frames; the turn goes on", "5"),
    Switch("drop-mid-frame", "line", "the connection is closed in the middle of that frame; the turn goes on", "5"),
    Switch("reset-after", "line", "the connection is reset (RST) after that many frames; the turn goes on", "5"),
    Switch("end-after", "line", "the body ends properly after that many frames; the turn goes on", "5"),
    Switch("dies-with-connection", "line", "a turn whose connection is lost is given up by the service"),
    Switch("gzip", "line", "the body is gzip, whatever the client accepts"),
    Switch("truncated-json", "line", "a JSON reply is cut in half", action="*"),
    Switch("empty-json", "line", "a JSON reply is {}", action="*"),
    # --- frames -----------------------------------------------------------------------------------------------
    Switch("data-space", "frames", "a space after `data:`"),
    Switch("crlf", "frames", "lines end with CR LF"),
    Switch("event-lines", "frames", "an `event: message` line in each frame"),
    Switch("id-lines", "frames", "an `id:` line in each frame"),
    Switch("comments", "frames", "comment lines between frames"),
    Switch("multi-line-data", "frames", "the JSON of a frame over several `data:` lines"),
    Switch("bom", "frames", "a byte order mark before the first frame"),
    Switch("split-utf8", "frames", "each byte that is not ASCII goes in a chunk of its own"),
    Switch("one-byte-chunks", "frames", "every byte goes in a chunk of its own"),
    Switch("glued", "frames", "frames go out in lots of that many", "20"),
    Switch("malformed", "frames", "a broken frame is put in after that many frames", "3"),
    Switch("malformed-text", "frames", "the n-th frame with text arrives broken: only the history has its text", "3"),
    Switch("no-final-blank", "frames", "the last frame has no empty line after it"),
    Switch("no-finish", "frames", "workflow_finished is left out"),
    Switch("message-end", "frames", "the end is called message_end"),
    Switch("lower-keys", "frames", "the keys event and answer are in lower case, as in the history"),
    Switch("snake-keys", "frames", "all keys as Dify spells them: event, answer, conversation_id, task_id ..."),
    Switch("conversion-id", "frames", "ConversationId is spelt ConversionId"),
    Switch("toolcall", "frames", "the event tool_call is spelt toolcall"),
    Switch("object-answer", "frames", "the Answer of a tool_call is an object, not a string"),
    Switch("pascal-tool", "frames", "a tool's keys are ToolCallName, ToolCallId, Status, Response"),
    Switch("top-level-tool", "frames", "a tool's keys stand in the frame itself, with no Answer"),
    Switch("tool-not-json", "frames", "the Answer of a tool_call is not JSON"),
    Switch("late-task", "frames", "TaskId comes with that frame at the earliest", "6"),
    Switch("no-task", "frames", "no frame has a TaskId"),
    Switch("late-conversation", "frames", "ConversationId comes with that frame at the earliest", "4"),
    Switch("message-ids-only", "frames", "ids stand in message frames only"),
    Switch("numeric-ids", "frames", "CreatedAt is a string of milliseconds, and Id is a number"),
    Switch("null-fields", "frames", "fields without a value are there, as null"),
    Switch("empty-deltas", "frames", "message frames with an empty Answer between the others"),
    Switch("unknown-events", "frames", "events that nobody knows, Dify's node_started and ping among them"),
    Switch("unknown-keys", "frames", "keys that nobody knows, some nested"),
    Switch("bogus-event", "frames", "an event called MysqlIOException that means nothing"),
    Switch("spaced-event", "frames", "event names with spaces and capitals:  Message "),
    Switch("not-objects", "frames", "frames that are JSON but no objects: null, 1, [], a string"),
    Switch("duplicate-frames", "frames", "each frame but those with text comes twice"),
    Switch("one-frame", "frames", "each run of text comes as one frame"),
    Switch("inline", "frames", "EventMode=separate is ignored: all comes inside the Answer"),
    Switch("after-finish", "frames", "a ping and an unknown event come after workflow_finished"),
    # --- turn -------------------------------------------------------------------------------------------------
    Switch("hold", "turn", "the turn waits after that many frames until it is released (control) or stopped", "5"),
    Switch("silence", "turn", "the turn is silent for that many seconds after its fifth frame", "90"),
    Switch("pings", "turn", "a ping event before each tool"),
    Switch("empty-answer", "turn", "the turn ends without any text"),
    Switch("error-frame", "turn", "after that many frames the turn fails with an error event", "8"),
    Switch("error-frame-lower", "turn", "the same, all keys in lower case, with status", "8"),
    Switch("message-replace", "turn", "after that many frames message_replace replaces the text so far", "12"),
    Switch("huge-frame", "turn", "one delta of that many bytes", "2000000"),
    Switch("chart", "turn", "a chart event in the answer (its form is not published)"),
    # --- stop -------------------------------------------------------------------------------------------------
    Switch("stop-ignored", "stop", "stop says success, the turn goes on", action="ChatMessagesTaskStop"),
    Switch("stop-cuts", "stop", "after a stop the body ends without workflow_finished", action="ChatMessagesTaskStop"),
    Switch("stop-unknown", "stop", "stop answers 404 TaskNotFound", action="ChatMessagesTaskStop"),
    # --- lists ------------------------------------------------------------------------------------------------
    Switch("sortby-empty", "lists", "{} when SortBy is given", action="GetConversations"),
    Switch("has-more-bool", "lists", "HasMore of GetConversations as a boolean", action="GetConversations"),
    Switch("ms-timestamps", "lists", "times in milliseconds", action="*"),
    Switch("iso-timestamps", "lists", "times in ISO form with Z", action="*"),
    Switch("overlapping-pages", "lists", "a page begins with the last entry of the page before", action="*"),
    Switch("endless-pages", "lists", "the same page again and again, always with HasMore", action="*"),
    Switch("newest-first", "lists", "messages newest first within the page", action="GetMessages"),
    Switch("history-lags", "lists", "the newest answer of the history lacks that many characters", "40", "GetMessages"),
    Switch("history-empty", "lists", "the history has no messages", action="GetMessages"),
    Switch("no-answer-field", "lists", "messages without Answer: it is in the events only", action="GetMessages"),
    # --- agents -----------------------------------------------------------------------------------------------
    Switch("numeric-agent-id", "agents", "ids of agents are numbers", action="*"),
    Switch("tools-string", "agents", "Tools is one string that looks like a list", action="*"),
    Switch("enable-tools-string", "agents", "EnableTools is a string everywhere", action="*"),
    Switch("total-count", "agents", "ListCustomAgent tells TotalCount", action="ListCustomAgent"),
    Switch("agent-quota", "agents", "no more agents may be made", action="CreateCustomAgent"),
    Switch("agent-name-taken", "agents", "the name is taken by another agent", action="CreateCustomAgent"),
    # --- reports ----------------------------------------------------------------------------------------------
    Switch("inspection-seconds", "reports", "an inspection takes that many seconds", "6", "*"),
    Switch("inspection-fails", "reports", "the inspection ends as failed", action="CreateInspectionTask"),
    Switch(
        "inspection-words",
        "reports",
        "the words for running, done and failed in lists (the real ones are not published)",
        "RUNNING/SUCCESS/FAILED",
        "*",
    ),
    Switch("late-reports", "reports", "the list of reports is empty", action="GetStandAloneReports"),
    Switch("success-false", "reports", "200 with Success false and a Message; nothing is done", action="*"),
    Switch("user-order-invalid", "reports", "403 InvalidUserOrder: no Professional Edition", action="*"),
    Switch("permission-denied", "reports", "403 PermissionDenied: no right on the instances", action="*"),
    Switch("task-not-found", "reports", "404 TaskNotFound: the report has expired", action="GetInspectionReport"),
    # --- session: Data Agent ----------------------------------------------------------------------------------
    Switch("start-up", "session", "the runtime takes that many seconds to start", "5", "*"),
    Switch("agent-failed", "session", "the runtime fails to start", action="*"),
    Switch("session-creating", "session", "SessionStatus stays CREATING", action="DescribeDataAgentSession"),
    Switch("lower-status", "session", "statuses in lower case", action="*"),
    Switch(
        "runtime-life",
        "session",
        "a silent runtime is reclaimed after that many seconds (AgentId changes)",
        "3600",
        "*",
    ),
    Switch("session-life", "session", "a silent session is reclaimed after that many seconds", "21600", "*"),
    Switch(
        "kept-chats",
        "session",
        "the file of a reclaimed session is no JSON list but `lines`, a `stream`, `strange`, or not there (`none`)",
        "lines",
        "*",
    ),
    Switch(
        "session-busy",
        "session",
        "200 SessionInBusy in snake_case, whatever the session does",
        action="SendChatMessage",
    ),
    Switch("agent-mismatch", "session", "200 AgentMismatch", action="GetChatContent"),
    Switch("any-reply-to", "session", "ReplyTo is not checked", action="SendChatMessage"),
    Switch("reply-to-needed", "session", "an answer without the ask's checkpoint is refused", action="SendChatMessage"),
    Switch(
        "accepted-500", "session", "the message (or file) is taken in, then 500 InternalError", action="SendChatMessage"
    ),
    Switch("queued", "session", "the turn begins that many seconds after its message", "1", "SendChatMessage"),
    Switch("cancel-ignored", "session", "cancel says success, the turn goes on", action="SendChatMessage"),
    Switch(
        "business-error",
        "session",
        "200 with Success false and that ErrorCode",
        "DMS.DataAgent.Sandbox",
        "SendChatMessage",
    ),
    Switch("camel-keys", "session", "replies spell their keys requestId, success, data ...", action="*"),
    Switch("pascal-keys", "session", "API-key mode: replies as in signed calls", action="*"),
    Switch("wrapped", "session", "API-key mode: replies are wrapped once more in `data`", action="*"),
    Switch("key-status", "session", "API-key mode: refusals have their HTTP status, success, code and msg", action="*"),
    # --- events: Data Agent; those of SendChatMessage change the log of the turn, the others one connection ----
    Switch(
        "counting-checkpoints", "events", "every frame of a block has a checkpoint of its own", action="SendChatMessage"
    ),
    Switch("event-ids", "events", "events have an event_id", action="SendChatMessage"),
    Switch(
        "snapshots",
        "events",
        "a data frame with the whole content before each content_finish",
        action="SendChatMessage",
    ),
    Switch("unfinished-block", "events", "the turn ends inside an open block", action="SendChatMessage"),
    Switch("object-results", "events", "result of a tool_call_response is an object", action="SendChatMessage"),
    Switch("old-outputs", "events", "cells have their outputs in `outputs`", action="SendChatMessage"),
    Switch("failure-text", "events", "SSE_FAILURE has a plain text", action="SendChatMessage"),
    Switch(
        "ask-finishes",
        "events",
        "at an ask the stream ends with SSE_FINISH in place of staying open",
        action="GetChatContent",
    ),
    Switch(
        "finish-after",
        "events",
        "SSE_FINISH and the end after that many frames; the turn goes on",
        "5",
        "GetChatContent",
    ),
    Switch("no-sse-finish", "events", "streams end without SSE_FINISH", action="GetChatContent"),
    Switch(
        "heartbeat", "events", "a heartbeat after that many seconds of silence in place of 15", "0.1", "GetChatContent"
    ),
    Switch("bare-heartbeats", "events", "heartbeats have no data line", action="GetChatContent"),
    Switch("empty-heartbeats", "events", "heartbeats have an empty data line", action="GetChatContent"),
    Switch("no-event-lines", "events", "frames have no `event:` line", action="GetChatContent"),
    Switch("event-at", "events", "`event:` lines end with ` at <timestamp>`", action="GetChatContent"),
    Switch("upper-names", "events", "event types and categories in upper case", action="GetChatContent"),
    Switch("object-content", "events", "JSON content of whole events is an object, not text", action="GetChatContent"),
    Switch("live-only", "events", "without Checkpoint only what comes from now on", action="GetChatContent"),
    Switch("exclusive-replay", "events", "the replay begins after the checkpoint", action="GetChatContent"),
    # --- files: Data Agent ------------------------------------------------------------------------------------
    Switch("policy-expired", "files", "the upload's policy has expired already", action="DescribeFileUploadSignature"),
    Switch(
        "policy-life",
        "files",
        "the upload's policy is good for that many seconds",
        "3600",
        "DescribeFileUploadSignature",
    ),
    Switch(
        "policy-wrong-signature", "files", "the signature does not fit the policy", action="DescribeFileUploadSignature"
    ),
    Switch("upload-limit", "files", "the policy allows that many bytes", "209715200", "DescribeFileUploadSignature"),
    Switch("slow-upload", "files", "the bucket reads that many bytes a second", "100000", "PostObject"),
    Switch("drop-upload", "files", "the connection is closed after that many bytes of the file", "65536", "PostObject"),
    Switch("disk-full", "files", "507 after that many bytes of the file", "0", "PostObject"),
    Switch("no-file-id", "files", "the callback answers without FileId", action="FileUploadCallback"),
    Switch("late-files", "files", "the agent's files are listed that many seconds late", "5", "ListFileUpload"),
    Switch("link-life", "files", "download links are good for that many seconds", "3600", "ListFileUpload"),
    Switch("link-expired", "files", "403: the link has expired", action="GetObject"),
    Switch(
        "drop-download", "files", "the connection is closed after that many bytes of the object", "100", "GetObject"
    ),
    *dashscope_switches.SWITCHES,
    # --- sign-in -----------------------------------------------------------------------------------------------
    Switch("role-untrusted", "sign-in", "403 NoPermission: the role does not trust the caller", action="AssumeRole"),
    Switch("root-account", "sign-in", "the caller is a root account, which assumes no role", action="*"),
    Switch("memory-key-refused", "sign-in", "401 for any key", action="Memories"),
    Switch("memory-results", "sign-in", 'lists come as `{"results": [...]}`', action="Memories"),
    Switch("signin-refused", "sign-in", "401 InvalidCredential.AuthenticateFail", action="GetSigninToken"),
)

SWITCHES: dict[str, Switch] = {switch.name: switch for switch in _ALL}


def markdown() -> str:
    """The list as it stands in `docs/sandbox.md`."""
    lines: list[str] = []
    for group, title in GROUPS.items():
        lines += [f"### {title}", "", "| switch | argument | for | what it does |", "|---|---|---|---|"]
        for switch in SWITCHES.values():
            if switch.group == group:
                action = "any action" if switch.action == "*" else f"`{switch.action}`"
                default = f"`{switch.default}`" if switch.default else ""
                lines.append(f"| `{switch.name}` | {default} | {action} | {switch.text} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
