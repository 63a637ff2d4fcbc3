"""What the Data Agent of the sandbox says, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from tui.sandbox.analysis_plan import Tongue

_TEXTS: Mapping[Tongue, Mapping[str, str]] = {
    "en": {
        "think": "The question is “{question}”. I should look at the columns first, then choose what to add up.\n",
        "think more": "The table {table} has {rows} rows and {columns} columns; {count} statements will do.\n",
        "sample": "No data was chosen, so I use the sandbox's own table “{table}” (sandbox data).\n\n",
        "database": "No database can be read from here, so I use the sandbox's own table “{table}” (sandbox data).\n\n",
        "unreadable": "I could not read the file: {reason} *(sandbox data)*",
        "clarify": "The column “{column}” has the values {values}. Should these rows count?",
        "left out": "Rows with {column} in {values} are left out.\n",
        "kept": "All rows count.\n",
        "sql question": "Run this statement?",
        "refused plan": "You refused the plan: nothing was run. *(sandbox data)*",
        "changed plan": "The plan was changed: {change}\n",
        "refused sql": "“{title}” was not run, because you refused its statement.",
        "own sql": "Your statement is run in place of mine.\n",
        "noted": "Your note was taken, the statement is run as it is: {note}\n",
        "failed": "“{title}” failed: {reason}",
        "chart": "Chart: {title}",
        "offer": "Draw a web report of this analysis?",
        "declined": "No web report was drawn. *(sandbox data)*",
        "no report": "There is no analysis in this session that a report could show. *(sandbox data)*",
        "report done": "The web report is ready: {name} *(sandbox data)*",
        "summary": "**Summary.** {text}\n\n*{note}*",
        "uploaded": "{name} 上传完成",
        "files": "Files",
        "report": "Analysis report",
        "datasource": "Which data should I use? Attach a file and answer.",
    },
    "zh": {
        "think": "问题是“{question}”。先看有哪些列，再决定汇总什么。\n",
        "think more": "表 {table} 有 {rows} 行、{columns} 列，需要 {count} 条语句。\n",
        "sample": "您没有选择数据，因此使用沙箱自带的表“{table}”（沙箱数据 sandbox data）。\n\n",
        "database": "沙箱无法读取数据库，因此使用沙箱自带的表“{table}”（沙箱数据 sandbox data）。\n\n",
        "unreadable": "无法读取文件：{reason}（沙箱数据 sandbox data）",
        "clarify": "列“{column}”中有这些取值：{values}。这些行要计入吗？",
        "left out": "已排除 {column} 为 {values} 的行。\n",
        "kept": "所有行都计入。\n",
        "sql question": "是否执行这条语句？",
        "refused plan": "您拒绝了计划，没有执行任何语句。（沙箱数据 sandbox data）",
        "changed plan": "计划已调整：{change}\n",
        "refused sql": "您拒绝了语句，“{title}”没有执行。",
        "own sql": "改为执行您给出的语句。\n",
        "noted": "已记下您的说明，语句照原样执行：{note}\n",
        "failed": "“{title}”执行失败：{reason}",
        "chart": "图表：{title}",
        "offer": "是否绘制网页报告？",
        "declined": "没有绘制网页报告。（沙箱数据 sandbox data）",
        "no report": "本会话中还没有可以写成报告的分析。（沙箱数据 sandbox data）",
        "report done": "网页报告已生成：{name}（沙箱数据 sandbox data）",
        "summary": "**结论。** {text}\n\n*{note}*",
        "uploaded": "{name} 上传完成",
        "files": "文件",
        "report": "分析报告",
        "datasource": "请问要分析哪份数据？请附上文件后回答。",
    },
}
_FOLLOW_UPS: Mapping[Tongue, tuple[str, ...]] = {
    "en": ("How did it go by month?", "Which are the top 5?", "What is the share of each group?"),
    "zh": ("按月的趋势如何？", "排名前5的是哪些？", "各组占比是多少？"),
}


def said(tongue: Tongue, text: str, /, **values: object) -> str:
    """The text called `text`, filled in."""
    return _TEXTS[tongue][text].format(**values)


def follow_ups(tongue: Tongue) -> tuple[str, ...]:
    """Questions that the agent suggests."""
    return _FOLLOW_UPS[tongue]
