"""What an inspection finds: made up from the instance's name, the same each time, and said to be sandbox data."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from tui.sandbox.inspections import Inspection
from tui.sandbox.wire import utc_text

LEVELS = ("Normal", "Warning", "Error", "Failed")
INVENTORY = {
    "rm-sandbox01": ("订单库 orders-main", "MySQL"),
    "rm-sandbox02": ("refunds-replica", "MySQL"),
    "pgm-sandbox03": ("日志归档 logs-archive", "PostgreSQL"),
}
"""What `all` means: id to description and engine."""


@dataclass(frozen=True, slots=True)
class _Check:
    item: str
    group: str
    en: str
    zh: str
    key: str
    unit: str
    warn: float
    alarm: float
    """The value from which it is a warning, and an error."""


_CHECKS = (
    _Check("instance_info", "instance", "Instance information", "实例信息", "uptime", "d", 900, 1800),
    _Check("resource_usage", "resources", "CPU, memory and disk", "资源使用", "disk", "%", 80, 90),
    _Check("connection_session_management", "resources", "Connections", "连接与会话", "connections", "%", 70, 85),
    _Check("performance_metrics", "performance", "Throughput", "性能指标", "qps", "", 9000, 15000),
    _Check("slow_query_analysis", "performance", "Slow queries", "慢查询", "slow", "", 200, 800),
    _Check("error_log_analysis", "performance", "Error log", "错误日志", "errors", "", 50, 200),
    _Check("lock_wait_deadlock_analysis", "performance", "Lock waits", "锁等待与死锁", "deadlocks", "", 3, 10),
    _Check("backup_recovery_analysis", "safety", "Backups", "备份与恢复", "age", "h", 26, 48),
    _Check(
        "high_availability_disaster_recovery_analysis",
        "safety",
        "High availability",
        "高可用与容灾",
        "lag",
        "s",
        60,
        600,
    ),
    _Check("security_configuration_analysis", "safety", "Security", "安全配置", "open", "", 1, 3),
    _Check("storage_engine_analysis", "structure", "Storage engine", "存储引擎", "fragments", "%", 30, 60),
    _Check("schema_object_analysis", "structure", "Schema and objects", "库表对象", "tables", "", 8000, 20000),
)
ITEMS = tuple(check.item for check in _CHECKS)
_GROUPS = {
    "instance": ("Instance", "实例"),
    "resources": ("Resources", "资源"),
    "performance": ("Performance", "性能"),
    "safety": ("Safety", "安全与可用性"),
    "structure": ("Structure", "结构"),
}
_WORDS = {"Normal": "正常", "Warning": "预警", "Error": "异常", "Failed": "检查失败"}


@dataclass(frozen=True, slots=True)
class _Result:
    check: _Check
    level: str
    value: str


def _results(instance: str, items: Iterable[str], begins: float) -> list[_Result]:
    wanted = frozenset(items) or frozenset(ITEMS)
    chance = random.Random(f"{instance}:{int(begins) // 3600}")
    found = []
    for check in _CHECKS:
        ratio = chance.random()
        value = check.warn * (0.2 + ratio * 1.1)
        level = "Error" if value >= check.alarm else "Warning" if value >= check.warn else "Normal"
        if chance.random() < 0.04:
            level = "Failed"
        if check.item in wanted:
            found.append(_Result(check, level, f"{value:.0f}{check.unit}"))
    return found


def describe(instance: str) -> tuple[str, str]:
    """The description and the engine of an instance."""
    engine = "PostgreSQL" if instance.startswith("pgm") else "MySQL"
    return INVENTORY.get(instance, ("sandbox data", engine))


def instance_report(report: Inspection, instance: str, *, with_text: bool) -> dict[str, object]:
    """One entry of `Data` in GetInspectionReport."""
    results = _results(instance, report.items, report.begins)
    zh = report.language.startswith("zh")
    groups: dict[str, list[dict[str, object]]] = {}
    for result in results:
        groups.setdefault(_GROUPS[result.check.group][zh], []).append(
            {
                "Name": result.check.zh if zh else result.check.en,
                "Level": result.level,
                "Message": _message(result, zh),
                "Data": [{"Key": result.check.key, "Value": result.value}],
            }
        )
    description, engine = describe(instance)
    return {
        "InstanceId": instance,
        "InstanceDesc": description,
        "EngineType": engine,
        "Region": report.region,
        "StartTime": utc_text(report.begins),
        "EndTime": utc_text(report.ends),
        "LevelSummary": {level: sum(result.level == level for result in results) for level in LEVELS},
        "MarkdownText": _markdown(report, instance, results, zh) if with_text else "",
        "Data": [{"Group": name, "Items": entries} for name, entries in groups.items()],
    }


def summary(report: Inspection) -> str:
    """The Markdown of the whole report."""
    zh = report.language.startswith("zh")
    head = "| 实例 | 正常 | 预警 | 异常 | 检查失败 |" if zh else "| instance | normal | warning | error | failed |"
    lines = [
        "# 巡检报告（沙箱数据 sandbox data）" if zh else "# Health report (sandbox data)",
        "",
        head,
        "|---|--:|--:|--:|--:|",
    ]
    for instance in report.instances:
        results = _results(instance, report.items, report.begins)
        counts = [str(sum(result.level == level for result in results)) for level in LEVELS]
        lines.append(f"| `{instance}` | {' | '.join(counts)} |")
    return "\n".join(lines) + "\n"


def _markdown(report: Inspection, instance: str, results: list[_Result], zh: bool) -> str:
    description, engine = describe(instance)
    span = f"{utc_text(report.begins)} – {utc_text(report.ends)}"
    title = f"# {instance} 巡检报告" if zh else f"# Health report of {instance}"
    lines = [title, "", f"{description} · {engine} · {report.region} · {span}", ""]
    lines += ["| 检查项 | 级别 | 数值 |" if zh else "| check | level | value |", "|---|---|--:|"]
    for result in results:
        name, level = (result.check.zh, _WORDS[result.level]) if zh else (result.check.en, result.level)
        lines.append(f"| {name} | {level} | {result.value} |")
    troubled = [result for result in results if result.level != "Normal"]
    if troubled:
        lines += ["", "## 需要关注" if zh else "## What needs attention", ""]
        lines += [f"- **{result.check.zh if zh else result.check.en}**: {_message(result, zh)}" for result in troubled]
    if any(result.check.item == "slow_query_analysis" and result.level != "Normal" for result in results):
        lines += ["", "```sql", "EXPLAIN SELECT * FROM orders WHERE buyer_id = 42 ORDER BY created_at;", "```"]
    return "\n".join([*lines, "", "*沙箱数据（sandbox data）*" if zh else "*sandbox data*", ""])


def _message(result: _Result, zh: bool) -> str:
    check = result.check
    if result.level == "Failed":
        return "检查未完成：没有权限读取该项。" if zh else "Not checked: no right to read this."
    value, warn = result.value, f"{check.warn:.0f}{check.unit}"
    if result.level == "Normal":
        return f"{check.key} 为 {value}，正常。" if zh else f"{check.key} is {value}."
    return f"{check.key} 为 {value}，超过阈值 {warn}。" if zh else f"{check.key} is {value}, above {warn}."
