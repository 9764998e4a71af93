"""What Grafana is provisioned with: the files of infra/grafana, where compose puts them, what dashboards ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from dashboards.grafana.written import FOLDER
from tests.grafana import interpolation

ROOT: Final = Path(__file__).parents[3]
INFRA: Final = ROOT / "infra"
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((INFRA / "compose.yaml").read_text())
GRAFANA: Final[dict[str, Any]] = COMPOSE["services"]["grafana"]
PROVISIONED: Final = "/etc/grafana/provisioning"
MOUNTS: Final = {
    volume["target"]: (INFRA / volume["source"]).resolve()
    for volume in GRAFANA["volumes"]
    if not isinstance(volume, str) and volume["type"] == "bind"
}


def read(kind: str) -> dict[str, Any]:
    """The one provisioning file of a kind, where Grafana finds it."""
    (path,) = MOUNTS[f"{PROVISIONED}/{kind}"].glob("*.yml")
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    assert found["apiVersion"] == 1
    return found


def test_every_dashboard_is_in_one_provided_folder() -> None:
    provided = {}
    for provider in read("dashboards")["providers"]:
        assert provider["type"] == "file"
        assert provider["allowUiUpdates"] is False  # what is changed by hand would be gone at the next start
        inside = provider["options"]["path"]
        target = next(one for one in MOUNTS if inside.startswith(f"{one}/"))
        provided[provider["folderUid"]] = MOUNTS[target] / inside.removeprefix(f"{target}/")
    assert len(provided) == len(read("dashboards")["providers"])
    found = sorted(path for folder in provided.values() for path in folder.glob("*.json"))
    assert found == sorted(FOLDER.rglob("*.json"))


def test_patients_data_and_the_platforms_health_are_in_folders_of_their_own() -> None:
    by_folder = {
        provider["folderUid"]: provider["options"]["path"].rpartition("/")[2]
        for provider in read("dashboards")["providers"]
    }
    assert by_folder == {"sonevakt-clinical": "clinical", "sonevakt-operations": "operations"}
    for path in (FOLDER / "operations").glob("*.json"):
        assert "influxdb" not in {
            target["datasource"]["uid"]
            for panel in json.loads(path.read_text())["panels"]
            for target in panel.get("targets", [])
        }


def test_the_data_sources_that_dashboards_name_are_provisioned() -> None:
    sources = {source["uid"]: source for source in read("datasources")["datasources"]}
    assert {uid: source["type"] for uid, source in sources.items()} == {
        "influxdb": "influxdb",
        "prometheus": "prometheus",
    }
    assert sources["influxdb"]["jsonData"]["version"] == "Flux"
    scraped = yaml.safe_load((INFRA / "prometheus" / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert sources["prometheus"]["jsonData"]["timeInterval"] == scraped == f"{interpolation.SCRAPE_S}s"


def test_dates_take_the_form_of_the_readers_browser_and_the_centre_is_the_first_that_is_seen() -> None:
    told = GRAFANA["environment"]
    assert told["GF_DATE_FORMATS_USE_BROWSER_LOCALE"] == "true"
    assert told["GF_DATE_FORMATS_DEFAULT_TIMEZONE"] == "browser"
    home = Path(told["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (MOUNTS["/sonevakt/dashboards"] / home.relative_to("/sonevakt/dashboards")).is_file()
