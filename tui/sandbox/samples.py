"""Texts of the sandbox's own making for the special questions; all of them the same at each call."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

CONTROLS = (
    "\x00\x01\x07\x08\x0b\x0c\x0e\x1b[31mred\x1b[0m\x1b[2J\x1b[H\x1b[?1049l\x1b]0;title\x07\x1b]52;c;b3duZWQ=\x07"
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\\x1bP+q544e\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bc\x7f"
    "\x84\x85\x90q\x9b2J\x9d0;c1\x9c\u061c\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069"
    "\u2028\u2029\ufeff\ufff9\ufffa\ufffb\U000e0041\U000e007f\ud800\r"
)
"""One of everything that could drive a terminal or hide text."""

_ACCENTS = "\u0301" * 300
_FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1e8\U0001f1f3"

HOSTILE_MARKDOWN = f"""# hostile {CONTROLS} heading

[bold red]not markup[/bold red] [/] [@click=app.quit]quit[/] [[[ ]]] \\[x] $(reboot) `tick {CONTROLS}`

**bold {CONTROLS}** *open __nested [link](javascript:alert(1)) ![image](file:///etc/passwd) <script>x</script>

| a{CONTROLS} | b |
|---|
| too | many | cells | here |
|

> > > > > > > > > > > > > > > > > > > > deep quote
{"  " * 1}- {"- " * 60}deep list

{"#" * 40} many marks
{"*" * 200}{"_" * 200}{"[" * 200}{"(" * 200}

&#x1b;[31m &#0; &lt;b&gt; &nbsp; a\u0301\u0302\u0303{_ACCENTS} {_FAMILY}

"""

CODE = '''The same in several languages.

```sql
SELECT t.trx_id, t.trx_started, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) AS seconds,
       t.trx_rows_modified, p.user, p.host
  FROM information_schema.innodb_trx AS t
  JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id
 WHERE t.trx_started < NOW() - INTERVAL 60 SECOND  -- 长事务
 ORDER BY t.trx_started;
```

```bash
mysqldumpslow -s t -t 10 /tmp/slow.log | head -n 40   # top ten by time
```

```json
{"DBInstanceId": "rm-sandbox01", "Engine": "MySQL", "Tags": ["订单", "prod"], "Storage": {"GB": 500, "used": 0.91}}
```

```python
def in_slices(connection, table: str, size: int = 5_000) -> int:
    """Delete old rows in slices; how many went."""
    total = 0
    while rows := connection.execute(f"DELETE FROM {table} WHERE created_at < %s LIMIT {size}", ["2026-10-01"]):
        total += rows
    return total
```

```
a block without a language
    keeps its spaces
```
'''

_HEADINGS = ("结论", "Findings", "分析过程", "What to do now", "风险与回滚", "Background", "参数建议", "Next steps")
_SENTENCES = (
    "the replica applies one large transaction while the primary accepts new writes and the relay log keeps growing",
    "because row events carry full images of every changed row so the thread waits on disk and on metadata locks",
    "until the statement commits which explains why the delay rose in one straight line and fell at once",
)
_WORDS = " ".join(_SENTENCES).split()
_CHINESE = (
    "从库在回放一个大事务，期间延迟持续上升。",
    "主库写入量没有明显变化，瓶颈在单线程回放。",
    "建议把大批量删除拆成每次 5,000 行，并观察延迟。",
    "如果业务允许，可以在低峰期执行归档任务。",
    "注意：修改参数前请先在测试实例上验证。",
)


def _sentence(chance: random.Random) -> str:
    start = chance.randrange(len(_WORDS) - 14)
    words = _WORDS[start : start + chance.randint(7, 14)]
    return f"{' '.join(words).capitalize()}."


def paragraphs(count: int) -> str:
    """`count` paragraphs, every third one in Chinese."""
    chance = random.Random("paragraphs")
    made = []
    for number in range(count):
        if number % 3 == 2:
            made.append("".join(chance.sample(_CHINESE, 3)))
        else:
            made.append(" ".join(_sentence(chance) for _ in range(4)))
    return "\n\n".join(made)


def filler(size: int) -> str:
    """So many characters."""
    return ("sandbox data " * (size // 13 + 1))[:size]


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(1, count + 1))


def json_rows(count: int) -> str:
    """The JSON of a tool's result with `count` rows."""
    rows = [
        {"DBInstanceId": f"rm-sandbox{n:02}", "Engine": "MySQL", "Status": "Running", "Description": f"订单库 {n}"}
        for n in range(count)
    ]
    return json.dumps({"TotalRecordCount": count, "Items": rows}, ensure_ascii=False, indent=2)


def wide_table(rows: int) -> str:
    """A Markdown table with ten columns and Chinese headings."""
    chance = random.Random("table")
    heads = (
        "序号",
        "实例",
        "库名",
        "SQL 模板",
        "执行次数",
        "平均耗时 (ms)",
        "扫描行数",
        "返回行数",
        "锁等待 (ms)",
        "建议 💡",
    )
    statements = (
        "SELECT * FROM orders WHERE user_id = ? ORDER BY created_at DESC",
        "UPDATE stock SET qty = qty - ? WHERE sku = ?",
        "DELETE FROM order_events WHERE created_at < ?",
        "SELECT COUNT(*) FROM refunds AS r JOIN orders AS o ON o.id = r.order_id WHERE r.week = ?",
    )
    hints = ("添加索引 (user_id, created_at)", "按主键分批", "改为分区表 ✅", "retry later ⚠️")
    lines = ["| " + " | ".join(heads) + " |", "|---:|---|:--|---|---:|---:|---:|---:|---:|---|"]
    for number in range(1, rows + 1):
        cells = (
            str(number),
            f"rm-sandbox{chance.randrange(9):02}",
            chance.choice(("orders_main", "库存", "refund_dw")),
            f"`{chance.choice(statements)}`",
            f"{chance.randrange(10, 90000):,}",
            f"{chance.uniform(2, 9000):.1f}",
            f"{chance.randrange(100, 4_200_000):,}",
            f"{chance.randrange(0, 900):,}",
            f"{chance.uniform(0, 800):.1f}",
            chance.choice(hints),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _sections() -> Iterator[str]:
    chance = random.Random("bench")
    fences = CODE.split("\n\n")[1:]
    number = 0
    while True:
        number += 1
        heading = _HEADINGS[number % len(_HEADINGS)]
        kind = number % 6
        body = [f"## {number}. {heading}", " ".join(_sentence(chance) for _ in range(3))]
        if kind == 0:
            body.append("".join(chance.sample(_CHINESE, 4)))
            body.append("> " + chance.choice(_CHINESE) + "\n> " + _sentence(chance))
        elif kind in (1, 4):
            items = [f"{n}. **{_WORDS[n * 3]}** `{_WORDS[n * 5]}_{n}`: {_sentence(chance)}" for n in range(1, 5)]
            body.append("\n".join(items))
            body.append("\n".join(f"- {text}\n  - {_sentence(chance)}" for text in chance.sample(_CHINESE, 2)))
        elif kind in (2, 5):
            body.append(fences[number % len(fences)])
        else:
            rows = [
                f"| {chance.choice(('orders', '库存表', 'refunds 🧾'))} | {chance.randrange(1_000_000):,} |"
                f" {chance.uniform(0, 99):.2f} % | {chance.choice(_CHINESE)[:12]} |"
                for _ in range(6)
            ]
            body.append("\n".join(["| 表 | rows | 占比 | 说明 |", "|---|---:|---:|---|", *rows]))
        yield "\n\n".join(body) + "\n\n"


def bench_text(size: int) -> str:
    """Markdown of every kind, about `size` bytes of UTF-8 (not less, and at most one section more)."""
    made = ["# Bench text (sandbox data)\n\n"]
    length = len(made[0])
    for section in _sections():
        if length >= size:
            break
        made.append(section)
        length += len(section.encode())
    return "".join(made)
