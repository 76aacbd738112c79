"""Is a score valid to the independent judges? `judge.py SCORE REFERENCE` prints what they have against it that is new.

Asks those judges that are installed; the reference is the score without the suggestion. Exit code 1: there are
complaints.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.support.judges import ABC_JUDGES, MUSICXML_JUDGES, available, judge_abc, judge_musicxml


def main(score: Path, reference: Path) -> int:
    judge, names = (judge_abc, ABC_JUDGES) if score.suffix == ".abc" else (judge_musicxml, MUSICXML_JUDGES)
    asked = [name for name in names if available()[name]]
    if not asked:
        print(f"no judge is installed: {', '.join(names)}; run scripts/setup-judges.sh")
        return 1
    complaints = judge(score.read_text(encoding="utf-8"), reference.read_text(encoding="utf-8"), asked)
    print("\n".join(complaints) or f"valid to {', '.join(asked)}")
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
