"""Make the table of emoji short-codes, client/tui/text/emoji.txt, from gemoji's list of emoji.

    python scripts/emoji_table.py path/to/gemoji/db/emoji.json

Source: https://github.com/github/gemoji, db/emoji.json (MIT licence, Copyright (c) 2019 GitHub, Inc.).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

TABLE = Path(__file__).parents[1] / "client" / "tui" / "text" / "emoji.txt"
NAME = re.compile(r"[a-z0-9_+-]{1,60}")
HEAD = """\
# Short-codes of emoji: the sign, then its names, the usual one first. Made by scripts/emoji_table.py.
# Source: https://github.com/github/gemoji, db/emoji.json (MIT licence, Copyright (c) 2019 GitHub, Inc.).
"""


def main() -> None:
    """Write the table; every sign in it has a name, and no name stands for two signs."""
    signs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    seen: set[str] = set()
    lines = []
    for sign in signs:
        names = [name for name in sign["aliases"] if NAME.fullmatch(name) and name not in seen]
        if names:
            seen.update(names)
            lines.append(" ".join([sign["emoji"], *names]))
    TABLE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
