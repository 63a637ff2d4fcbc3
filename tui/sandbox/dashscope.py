"""DashScope: the Assistants API and the Responses API, operation by operation (protocol notes, sections 3, 8 and 9)."""

from __future__ import annotations

from aiohttp import web

from tui.sandbox import dashscope_assistants as assistants
from tui.sandbox import dashscope_files as files
from tui.sandbox import dashscope_models as models
from tui.sandbox import dashscope_runs as runs
from tui.sandbox import dashscope_threads as threads
from tui.sandbox import responses
from tui.sandbox.dashscope_gateway import (
    API_KEY,
    COMPATIBLE_PATH,
    NATIVE_PATH,
    OTHER_API_KEY,
    DashScopeGateway,
    Operation,
)
from tui.sandbox.dashscope_state import DashScope
from tui.sandbox.world import World

_ASSISTANT, _THREAD = "/assistants/{assistant}", "/threads/{thread}"
_MESSAGE, _RUN = _THREAD + "/messages/{message}", _THREAD + "/runs/{run}"

OPERATIONS = (
    Operation("CreateAssistant", "POST", "/assistants", assistants.create),
    Operation("ListAssistants", "GET", "/assistants", assistants.list_all),
    Operation("GetAssistant", "GET", _ASSISTANT, assistants.retrieve),
    Operation("UpdateAssistant", "POST", _ASSISTANT, assistants.update),
    Operation("DeleteAssistant", "DELETE", _ASSISTANT, assistants.delete),
    Operation("CreateAssistantFile", "POST", _ASSISTANT + "/files", assistants.attach),
    Operation("ListAssistantFiles", "GET", _ASSISTANT + "/files", assistants.list_files),
    Operation("GetAssistantFile", "GET", _ASSISTANT + "/files/{file}", assistants.retrieve_file),
    Operation("DeleteAssistantFile", "DELETE", _ASSISTANT + "/files/{file}", assistants.detach),
    Operation("CreateThread", "POST", "/threads", threads.create),
    Operation("GetThread", "GET", _THREAD, threads.retrieve),
    Operation("UpdateThread", "POST", _THREAD, threads.update),
    Operation("DeleteThread", "DELETE", _THREAD, threads.delete),
    Operation("CreateMessage", "POST", _THREAD + "/messages", threads.create_message),
    Operation("ListMessages", "GET", _THREAD + "/messages", threads.list_messages),
    Operation("GetMessage", "GET", _MESSAGE, threads.retrieve_message),
    Operation("UpdateMessage", "POST", _MESSAGE, threads.update_message),
    Operation("ListMessageFiles", "GET", _MESSAGE + "/files", threads.list_message_files),
    Operation("GetMessageFile", "GET", _MESSAGE + "/files/{file}", threads.retrieve_message_file),
    Operation("CreateThreadAndRun", "POST", "/threads/runs", runs.create_with_thread, fault_action="CreateRun"),
    Operation("CreateRun", "POST", _THREAD + "/runs", runs.create),
    Operation("ListRuns", "GET", _THREAD + "/runs", runs.list_all),
    Operation("GetRun", "GET", _RUN, runs.retrieve),
    Operation("UpdateRun", "POST", _RUN, runs.update),
    Operation("SubmitToolOutputs", "POST", _RUN + "/submit_tool_outputs", runs.submit),
    Operation("CancelRun", "POST", _RUN + "/cancel", runs.cancel),
    Operation("ListSteps", "GET", _RUN + "/steps", runs.list_steps),
    Operation("GetStep", "GET", _RUN + "/steps/{step}", runs.retrieve_step),
    Operation("UploadFiles", "POST", "/files", files.upload),
    Operation("ListFiles", "GET", "/files", files.list_all),
    Operation("GetFile", "GET", "/files/{file}", files.retrieve),
    Operation("DeleteFile", "DELETE", "/files/{file}", files.delete),
    Operation("ListModels", "GET", "/models", models.list_all),
    Operation("UploadCompatibleFile", "POST", "/files", files.upload_compatible, compatible=True),
    Operation("ListCompatibleFiles", "GET", "/files", files.list_compatible, compatible=True),
    Operation("GetCompatibleFile", "GET", "/files/{file}", files.retrieve_compatible, compatible=True),
    Operation("DeleteCompatibleFile", "DELETE", "/files/{file}", files.delete_compatible, compatible=True),
    Operation("CreateResponse", "POST", "/responses", responses.create, compatible=True),
    Operation("GetResponse", "GET", "/responses/{response}", responses.retrieve, compatible=True),
    Operation("DeleteResponse", "DELETE", "/responses/{response}", responses.delete, compatible=True),
    Operation("ListInputItems", "GET", "/responses/{response}/input_items", responses.input_items, compatible=True),
)


def routes(world: World) -> list[web.RouteDef]:
    """All routes of a sandbox's DashScope."""
    agents = world.part(DashScope)
    return [*files.link_routes(agents), *DashScopeGateway(agents, OPERATIONS).routes()]


def info(url: str) -> dict[str, str]:
    """Where it is and what key it takes: base_url, compatible_base_url, api_key, other_api_key."""
    return {
        "base_url": url + NATIVE_PATH,
        "compatible_base_url": url + COMPATIBLE_PATH,
        "api_key": API_KEY,
        "other_api_key": OTHER_API_KEY,
    }
