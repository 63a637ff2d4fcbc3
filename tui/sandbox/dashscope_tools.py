"""The built-in tools of the sandbox's DashScope: when one is used, and what comes out of it."""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tui.sandbox.dashscope_records import Json

_WORDS: Mapping[str, str] = {
    "search": r"search|look up|find|latest|news|today|weather|who is|搜|查|最新|新闻|今天|天气|行情",
    "code": r"code|python|compute|calculate|plot|chart|run|simulate|计算|代码|画图|统计|脚本",
    "calculator": r"\d\s*[-+*/×÷^]\s*\d|calculate|sum|计算|等于",
    "image": r"draw|image|picture|paint|logo|画|图片|海报|插图",
    "qr": r"qr|barcode|二维码",
    "github": r"github|repo|repository|仓库|开源",
    "rag": r"manual|policy|document|handbook|knowledge|manuals|文档|知识库|手册|制度|规定",
}
_FAMILY: Mapping[str, str] = {
    "search": "search",
    "quark_search": "search",
    "web_search": "search",
    "web_extractor": "search",
    "code_interpreter": "code",
    "calculator": "calculator",
    "text_to_image": "image",
    "wanx": "image",
    "image_generation": "image",
    "web_search_image": "image",
    "generate_qrcode": "qr",
    "github_search": "github",
    "rag": "rag",
    "file_search": "rag",
}
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_SUM = re.compile(r"[-+]?\d[\d.\s()*/+×÷-]*[\d)]")


@dataclass(frozen=True, slots=True)
class UseTool:
    """One use of a built-in tool: `arguments` and `output` are the strings of the wire."""

    type: str
    arguments: str
    output: str
    seconds: float = 0.8


def wanted(text: str, tools: Sequence[Json]) -> list[UseTool]:
    """What the question makes of the tools; a plugin is used when a part of its id is in the question."""
    found = []
    for tool in tools:
        kind = str(tool.get("type") or "")
        family = _FAMILY.get(kind, "")
        pattern = _WORDS.get(family) or "|".join(re.escape(part) for part in re.split(r"[_\W]+", kind) if part)
        if kind and kind != "function" and pattern and re.search(pattern, text, re.IGNORECASE):
            found.append(use(kind, text))
    return found


def use(kind: str, text: str, number: int = 0) -> UseTool:
    """One use of the tool `kind` for a question; `number` tells it from others."""
    family = _FAMILY.get(kind, "")
    query = " ".join(text.split())[:120]
    match family:
        case "code":
            expression = _expression(text)
            code = f"print({expression})" if expression else f"print({len(query)})  # {query}"
            value = _value(expression) if expression else len(query)
            return UseTool(kind, _json({"code": code}), f"{value}\n", 1.2)
        case "calculator":
            expression = _expression(text) or "0"
            return UseTool(kind, _json({"payload__input__text": expression}), _json({"equations": _value(expression)}))
        case "image":
            link = f"https://sandbox.example/image-{number + 1}.png"
            return UseTool(kind, _json({"prompt": query}), _json({"success": True, "image_url": link}), 2.0)
        case "qr":
            link = "https://sandbox.example/qr.png"
            return UseTool(kind, _json({"text": query}), _json({"success": True, "url": link}))
        case "github":
            rows = [{"full_name": f"sandbox/example-{n}", "stars": 1200 // n, "language": "Python"} for n in (1, 2, 3)]
            return UseTool(kind, _json({"query": query}), _json({"items": rows}))
        case "rag":
            chunks = [{"title": "Sandbox handbook", "score": 0.83, "text": f"(sandbox data) About: {query}"}]
            return UseTool(kind, _json({"query": query}), _json({"chunks": chunks}))
    rows = [
        {
            "title": f"{query[:40]} ({n}) - sandbox data",
            "link": f"https://sandbox.example/result/{number + n}",
            "snippet": f"沙箱数据 sandbox data: result {n} about {query[:60]}",
        }
        for n in (1, 2)
    ]
    return UseTool(kind, _json({"query": query}), _json({"success": True, "data": rows}))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _expression(text: str) -> str:
    """The longest run of the question that is a sum."""
    found = [match.strip() for match in _SUM.findall(text)]
    found = [one.replace("×", "*").replace("÷", "/") for one in found if re.search(r"[-+*/×÷]", one[1:])]
    return max(found, key=len, default="")


def _value(expression: str) -> float | int | str:
    """The value of a sum; `error` where it is none."""
    try:
        return _evaluate(ast.parse(expression, mode="eval").body)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return "error"


def _evaluate(node: ast.expr) -> float | int:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_evaluate(left), _evaluate(right))
    raise ValueError("not a sum")
