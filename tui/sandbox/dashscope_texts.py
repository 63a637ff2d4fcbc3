"""What the sandbox's models say, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict


class Texts(TypedDict):
    who: str
    before: str
    files: str
    tool: str
    function: str
    thinking: str
    note: str
    bodies: tuple[str, ...]


_EN: Texts = {
    "who": "**{name}** here.",
    "before": "You asked “{text}” before; with that in mind:",
    "files": "I have these files: {names}.",
    "tool": "`{tool}` gave:\n\n{output}",
    "function": "`{call}` gave {output}, and that is what I go by.",
    "thinking": "The user wants a clear answer. I look at what is asked, see which tools fit, and keep it short.",
    "note": "\n\n*sandbox data · no model was asked*\n",
    "bodies": (
        "About “{topic}”, in short:\n\n1. **Say what you need**: the goal, the limits, the date.\n"
        "2. **Try the smallest step** that could work.\n3. **Measure**, then decide about the rest.\n\n"
        "Tell me which of these you would like in more detail.",
        "There are two ways to look at “{topic}”.\n\n| way | good at | costs |\n|---|---|---|\n"
        "| start simple | quick result | less detail |\n| plan first | fewer surprises | a day or two |\n\n"
        "I would start simple and keep notes.",
        "“{topic}” is a good question. A small example says more than a long text:\n\n```python\n"
        "def answer(question: str) -> str:\n    return f'sandbox: {{question}}'\n```\n\n"
        "Change one thing at a time, and you will see what matters.",
        "Here is what I would check for “{topic}”:\n\n- what is known for certain\n- what is only assumed\n"
        "- who can answer the rest\n\nWith these three lists the next step is usually plain.",
    ),
}
_ZH: Texts = {
    "who": "我是 **{name}**。",
    "before": "您之前问过“{text}”，结合它来看：",
    "files": "我手头有这些文件：{names}。",
    "tool": "`{tool}` 返回：\n\n{output}",
    "function": "`{call}` 的结果是 {output}，答案以它为准。",
    "thinking": "用户需要一个清楚的回答。先看问题本身，再看有哪些工具合适，最后简短作答。",
    "note": "\n\n*沙箱数据（sandbox data）· 没有调用任何模型*\n",
    "bodies": (
        "关于“{topic}”，可以分三步：\n\n1. **明确目标**：想得到什么、有什么限制、什么时候要。\n"
        "2. **先做最小的一步**，看看是否可行。\n3. **用数据判断**，再决定下一步。\n\n需要展开哪一步，请告诉我。",
        "“{topic}”有两种常见做法：\n\n| 做法 | 优点 | 代价 |\n|---|---|---|\n| 先简单上手 | 见效快 | 细节少 |\n"
        "| 先做规划 | 意外少 | 需要一两天 |\n\n建议先简单上手，边做边记录。",
        "用一个小例子来说明“{topic}”：\n\n```python\ndef answer(question: str) -> str:\n"
        "    return f'沙箱：{{question}}'\n```\n\n每次只改一处，就能看出哪一点真正起作用。",
        "对“{topic}”，我会先列三张清单：\n\n- 已经确定的事实\n- 还只是假设的部分\n- 可以向谁确认\n\n"
        "清单列好，下一步往往就清楚了。",
    ),
}
TEXTS: Mapping[str, Texts] = {"en": _EN, "zh": _ZH}
