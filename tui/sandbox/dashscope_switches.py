"""The switches of DashScope alone: faults, quirks, and what the protocol notes leave open (sections 13 and 14)."""

from __future__ import annotations

from functools import partial

from tui.sandbox.switch import ANY, Group, Switch

GROUPS: dict[Group, str] = {
    "assistants": "DashScope: refusals, the form of replies, assistants, threads, lists, files",
    "runs": "DashScope: what a run does",
    "run-frames": "DashScope: the form of a run's stream",
    "responses": "DashScope: the Responses API",
}


_replies = partial(Switch, group="assistants", action=ANY)
_run = partial(Switch, group="runs", action="CreateRun")
_frames = partial(Switch, group="run-frames", action="CreateRun")
_responses = partial(Switch, group="responses", action="CreateResponse")

SWITCHES = (
    # --- refusals and replies -----------------------------------------------------------------------------------
    _replies(
        "refuse", "a refusal with that code and its documented status", "Throttling.RateQuota", action="CreateRun"
    ),
    _replies("error-status", "refusals have that HTTP status", "404"),
    _replies("not-found-404", "what is not there is a 404, not a 400"),
    _replies("not-found-unsaid", "the text of a refusal does not say that something is not there"),
    _replies("compatible-errors", "refusals are {error: {message, type, code}, request_id}"),
    _replies("sse-error", "refusals are framed as a stream: id, event:error, :HTTP_STATUS, data"),
    _replies("sse-error-json", "the same, labelled application/json"),
    _replies("sse-error-200", "the same, 200; the true status is in the comment alone"),
    _replies("workspace-needed", "403 AccessDenied without a workspace header"),
    _replies("assistants-retired", "400 UnsupportedOperation for all of assistants and threads"),
    _replies("unset", "times that are not set are written so, everywhere", "-1"),
    _replies("empty-objects", "objects that are not there are {}, not null"),
    _replies("string-last-error", "last_error is a text"),
    _replies("no-file-ids", "nothing has file_ids"),
    # --- lists --------------------------------------------------------------------------------------------------
    _replies("default-limit", "the length of a page without a limit, in place of 20", "2"),
    _replies("oldest-first", "lists without an order are ascending"),
    _replies("after-newer", "after and before change their places where the order is desc"),
    _replies("no-last-id", "pages lack first_id and last_id"),
    _replies("old-list-items", "items of lists have account_id, gmt_crete, is_deleted and no file_ids"),
    # --- assistants, threads, files -----------------------------------------------------------------------------
    _replies("no-auth-echo", "assistants are shown without the auth of their plugins"),
    _replies("null-keeps", "an update with file_ids [] or metadata null keeps what was"),
    _replies("model-needed", "an update without the model is refused", action="UpdateAssistant"),
    _replies("any-role", "messages of the role assistant are taken as well"),
    _replies("busy-allowed", "messages and runs are taken while a run is active"),
    _replies("upload-fails", "200 with every file in failed_uploads", action="UploadFiles"),
    # --- runs ---------------------------------------------------------------------------------------------------
    _run("run-queued", "the run is queued for that many seconds", "1"),
    _run("run-fails", "after that many frames the run fails, with last_error", "8"),
    _run("rate-limited", "a run that fails has the code rate_limit_exceeded, not server_error"),
    _run("run-expires", "after that many frames the run expires", "8"),
    _run("run-incomplete", "after that many frames the run is incomplete", "12"),
    _run("run-life", "a run that waits for outputs expires after that many seconds, in place of 600", "60", action=ANY),
    _run("expires-at", "a run that waits for outputs tells in expires_at when it expires"),
    _run("late-completion", "the run completes that many seconds after its message", "1"),
    _run("call-ids", "function calls have ids; else they are empty, as in the vendor's samples"),
    _run("function-silent", "no step is seen before requires_action"),
    _run("function-no-deltas", "function calls are seen without step deltas"),
    _run("function-again", "after its first outputs the run asks once more", action="SubmitToolOutputs"),
    _run("partial-outputs", "fewer outputs than calls are taken", action="SubmitToolOutputs"),
    _run("required-action-gone", "required_action is null once it is answered", action="SubmitToolOutputs"),
    _run("empty-tools-keep", "a run with tools [] keeps the assistant's tools"),
    _run("usage-openai", "usage has prompt_tokens and completion_tokens"),
    _run("cancel-works", "runs can be cancelled; else that is 400 UnsupportedOperation", action="CancelRun"),
    _run("cancelling-event", "a run that is cancelled says thread.run.cancelling first"),
    # --- the stream of a run ------------------------------------------------------------------------------------
    _frames("no-done", "event:done is missing"),
    _frames("bare-done", "[DONE] has no event line"),
    _frames("data-first", "the data line of a frame stands before its event line"),
    _frames("error-text", "the data of event:error is a text, not JSON"),
    _frames("done-after-error", "event:done follows event:error"),
    _frames("no-run-created", "thread.run.created is missing: the first frame with the run's id is the next"),
    _frames("no-run-end", "the last event of the run (completed, failed ...) is missing"),
    _frames("no-message-completed", "thread.message.completed is missing"),
    _frames("lost-deltas", "each n-th delta of text is missing: thread.message.completed has the whole", "3"),
    _frames("duplicate-deltas", "each third delta of text comes twice: thread.message.completed has it once"),
    _frames("delta-object", "content of a delta is an object, not a list"),
    _frames("delta-parts", "content of a delta has two parts"),
    _frames("delta-index", "parts of a delta have an index"),
    _frames("object-missing", "frames have no `object`"),
    _frames("typed-outputs", "a tool's output stands under its type everywhere, not under plugin_name"),
    _frames("list-output", "the output in a tool's delta is a list"),
    _frames("true-step-status", "thread.run.step.completed of a tool says completed inside too"),
    _frames("status-lines", "the comment :HTTP_STATUS/200 in each frame; status:429 in an error"),
    _frames("stream-json", "a stream is asked for, and one JSON object comes"),
    _frames("mislabelled", "the stream has that content type", "application/json"),
    # --- responses ----------------------------------------------------------------------------------------------
    _responses("limit-200", "a rate limit inside a 200: status failed, server_error, an empty model"),
    _responses("previous-expired", "previous_response_id has expired"),
    _responses("previous-life", "responses are kept for that many seconds, in place of 7 days", "60", action=ANY),
    _responses("no-chained-outputs", "function_call_output with previous_response_id is refused"),
    _responses("argument-deltas", "function_call_arguments.delta and .done before the item is done"),
    _responses("reasoning-summary", "thinking comes as reasoning_summary_text"),
    _responses("silent-reasoning", "thinking comes with its finished item alone"),
    _responses("plain-frames", "frames have no id and no :HTTP_STATUS line"),
    _responses("response-done", "event:done comes after the last event"),
)
