"""`make dashboards`: writes the dashboards anew, and takes away what is none any more."""

from __future__ import annotations

from dashboards.grafana.written import FOLDER, dashboards


def main() -> None:
    """Write every dashboard's file."""
    wanted = {FOLDER / made.path: made.json() for made in dashboards()}
    for old in set(FOLDER.rglob("*.json")) - set(wanted):
        old.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
