"""`make dashboards`: writes the dashboards anew, and takes away what is none any more."""

from __future__ import annotations

from dashboards.grafana.written import FOLDER, files


def main() -> None:
    """Write every file."""
    wanted = files()
    for old in set(FOLDER.rglob("*.json")) - set(wanted):
        old.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
