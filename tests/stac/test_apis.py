"""STAC APIs over HTTP: pages, what is asked for again, faults of the world, secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rsflow.errors import ConfigError, TransientError, UnavailableError
from rsflow.readers import open_scene
from rsflow.stac.listing import StacScenes
from tests.stac.api_server import CLASSES, ApiServer
from tests.stac.catalogue import band_asset, item, write_band
from tests.stac.conftest import List


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_RETRY_SECONDS", "0")


def offer(api: ApiServer, name: str, day: int = 1, **properties: Any) -> dict[str, Any]:
    """Add an item taken on a day of June 2020, and updated the day after."""
    stamps = {"datetime": f"2020-06-{day:02d}T10:00:00Z", "updated": f"2020-06-{day + 1:02d}T00:00:00Z"}
    api.items.append(item(name, {"B04": band_asset(f"{api.address}/files/x.tif", "B04", "red")}, **{**stamps, **properties}))
    return api.items[-1]


def names(found: StacScenes) -> list[str]:
    return [one.scene_id.removeprefix("s.") for one in found.scenes]


def test_all_pages_are_read_and_the_licence_is_the_collections(api: ApiServer, list_all: List) -> None:
    for day in range(1, 6):
        offer(api, f"i{day}", day)
    found = list_all(api.address)
    assert names(found) == ["i1", "i2", "i3", "i4", "i5"]
    assert len(api.searches) == 3
    assert {one.options["licence"] for one in found.scenes} == {"CC0-1.0"}
    assert found.scenes[0].stac_item
    assert found.scenes[0].stac_item["href"] == f"{api.address}/collections/set/items/i1"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("classes", [[], list(CLASSES)])
def test_searches_by_get_and_by_post_find_the_same(api: ApiServer, list_all: List, method: str, classes: list[str]) -> None:
    api.method, api.classes = method, classes
    for day in range(1, 6):
        offer(api, f"i{day}", day, **{"eo:cloud_cover": 10.0 * day})
    search = {"collections": ("set",), "bbox": (15.0, 45.0, 16.0, 46.0), "period": "2020-06-02/..", "max_cloud_percent": 45}
    assert names(list_all(api.address, **search)) == ["i2", "i3", "i4"]


def test_the_address_of_a_collection_searches_it(api: ApiServer, list_all: List) -> None:
    offer(api, "a")
    offer(api, "other")["collection"] = "others"
    assert names(list_all(f"{api.address}/collections/set")) == ["a"]


def test_the_search_reaches_the_api(api: ApiServer, list_all: List) -> None:
    for day in range(1, 6):
        offer(api, f"i{day}", day, **{"eo:cloud_cover": 10.0 * day})
    search = {
        "collections": ("set",),
        "bbox": (15.0, 45.0, 16.0, 46.0),
        "period": "2020-06-02/2020-06-30",
        "max_cloud_percent": 45,
    }
    assert names(list_all(api.address, **search, sort=("-properties.datetime",), limit=2)) == ["i3", "i4"]
    body, _ = api.searches[0]
    assert body["collections"] == ["set"]
    assert body["datetime"] == "2020-06-02T00:00:00Z/2020-06-30T23:59:59.999999Z"
    assert body["query"] == {"eo:cloud_cover": {"lte": 45.0}}


@pytest.mark.parametrize("classes", [["core", "search"], ["core", "search", "query"], list(CLASSES)])
def test_what_an_api_cannot_do_is_done_here(api: ApiServer, list_all: List, classes: list[str]) -> None:
    api.classes = classes
    for day in range(1, 6):
        offer(api, f"i{day}", day, **{"eo:cloud_cover": 10.0 * day})
    assert names(list_all(api.address, max_cloud_percent=45, sort=("-eo:cloud_cover",), limit=2)) == ["i3", "i4"]


@pytest.mark.parametrize("classes", [["core", "search"], ["core", "search", "query"], list(CLASSES)])
def test_a_second_run_asks_for_what_is_new(api: ApiServer, list_all: List, tmp_path: Path, classes: list[str]) -> None:
    api.classes = classes
    for day in (1, 2, 3):
        offer(api, f"old{day}", day, datetime=f"2020-01-0{day}T00:00:00Z")
    offer(api, "recent", 20)
    list_all(api.address, root=tmp_path)
    asked = len(api.searches)
    offer(api, "new", 21)
    assert names(list_all(api.address, root=tmp_path)) == ["new", "old1", "old2", "old3", "recent"]
    assert sorted(api.delivered(asked)) == ["new", "recent"]
    asked = len(api.searches)
    assert len(list_all(api.address, root=tmp_path).scenes) == 5
    assert "old1" not in api.delivered(asked)


def test_a_late_scene_of_the_past_is_found_by_its_update(api: ApiServer, list_all: List, tmp_path: Path) -> None:
    offer(api, "a", 20)
    list_all(api.address, root=tmp_path)
    offer(api, "late", 25, datetime="2001-01-01T00:00:00Z")
    assert names(list_all(api.address, root=tmp_path)) == ["a", "late"]


def test_what_vanished_is_noticed(api: ApiServer, list_all: List, tmp_path: Path) -> None:
    for day in (1, 2, 3):
        offer(api, f"i{day}", day)
    list_all(api.address, root=tmp_path)
    del api.items[0]
    offer(api, "i4", 4)
    assert names(list_all(api.address, root=tmp_path)) == ["i2", "i3", "i4"]


def test_an_item_that_changed_is_taken_anew(api: ApiServer, list_all: List, tmp_path: Path) -> None:
    offer(api, "a", 1)
    list_all(api.address, root=tmp_path)
    api.items[0]["properties"] |= {"updated": "2020-08-01T00:00:00Z", "eo:cloud_cover": 7.0}
    (scene,) = list_all(api.address, root=tmp_path).scenes
    assert scene.stac_item
    assert scene.stac_item["cloud_percent"] == 7.0


def test_another_search_begins_anew(api: ApiServer, list_all: List, tmp_path: Path) -> None:
    offer(api, "a", 1)
    offer(api, "b", 2, **{"eo:cloud_cover": 1.0})
    list_all(api.address, root=tmp_path)
    assert names(list_all(api.address, root=tmp_path, max_cloud_percent=50)) == ["b"]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_an_api_that_does_not_answer_is_a_fault_of_the_world(api: ApiServer, list_all: List, status: int) -> None:
    offer(api, "a")
    api.statuses = [status] * 9
    with pytest.raises(TransientError, match=f"does not answer .status {status}."):
        list_all(api.address)


def test_a_fault_that_passes_is_waited_for(api: ApiServer, list_all: List, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_RETRY_SECONDS", "20")
    offer(api, "a")
    api.statuses = [503, 200, 503]
    assert names(list_all(api.address)) == ["a"]


def test_a_page_that_does_not_come_is_no_end_of_the_search(api: ApiServer, list_all: List) -> None:
    for day in range(1, 6):
        offer(api, f"i{day}", day)
    api.statuses = [200, 200, 200, 503]  # of the landing page and three pages of items
    with pytest.raises(TransientError):
        list_all(api.address)


def test_no_access_and_no_server_are_faults_of_the_world(api: ApiServer, list_all: List) -> None:
    api.statuses = [401]
    with pytest.raises(UnavailableError, match="refuses access"):
        list_all(api.address)
    with pytest.raises(UnavailableError, match="does not answer"):
        list_all("http://127.0.0.1:9/stac")


def test_a_search_that_the_api_refuses_is_the_users_to_change(api: ApiServer, list_all: List) -> None:
    offer(api, "a")
    api.statuses = [200, 400]
    with pytest.raises(ConfigError, match=r"refuses the request .status 400.: .*no such thing"):
        list_all(api.address)
    api.classes = ["core", "search"]
    with pytest.raises(ConfigError, match=r"filter: http.* does not filter"):
        list_all(api.address, filter={"op": "=", "args": [{"property": "a"}, 1]})
    with pytest.raises(ConfigError, match="no item that fits"):
        list_all(api.address, collections=("none",))


def test_pages_that_repeat_end_the_search_with_an_error(api: ApiServer, list_all: List) -> None:
    for day in range(1, 6):
        offer(api, f"i{day}", day)
    api.repeats = True
    with pytest.raises(UnavailableError, match="its pages repeat"):
        list_all(api.address)


def test_broken_items_are_rejects(api: ApiServer, list_all: List) -> None:
    offer(api, "good")
    offer(api, "bare")["assets"] = {}
    offer(api, "local")["assets"]["B04"]["href"] = "file:///etc/passwd"
    del offer(api, "versionless")["stac_version"]
    found = {one.scene_id: one.options.get("listing_error", [""])[0] for one in list_all(api.address).scenes}
    assert sorted(found.values()) == ["", "no_assets", "not_stac", "path_outside"]


def test_a_self_link_to_a_file_of_this_machine_is_not_followed(api: ApiServer, list_all: List, tmp_path: Path) -> None:
    write_band(tmp_path / "private.tif", 1)
    document = offer(api, "a")
    document["links"] = [{"rel": "self", "href": str(tmp_path / "a.json")}]
    document["assets"]["B04"]["href"] = "./private.tif"
    (scene,) = list_all(api.address).scenes
    assert scene.files[""] == f"{api.address}/collections/set/items/private.tif"


def test_a_password_in_the_address_is_in_nothing_that_is_kept(api: ApiServer, list_all: List, tmp_path: Path) -> None:
    offer(api, "a")
    offer(api, "b")["links"] = [{"rel": "self", "href": f"{api.address}/items/b?key=geheim"}]
    found = list_all(api.address.replace("://", "://me:geheim@"), root=tmp_path)
    assert names(found) == ["a", "b"]
    assert "geheim" not in repr(found)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"geheim" not in path.read_bytes()]


def test_headers_go_to_the_api_alone(api: ApiServer, list_all: List, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "Bearer abc")
    offer(api, "a")
    list_all(api.address, headers={"Authorization": "KEY"})
    assert {headers["authorization"] for headers in api.headers} == {"Bearer abc"}
    other = api.address.replace("127.0.0.1", "localhost")
    api.headers.clear()
    api.address = other  # search and next links name another host than the one that was asked
    list_all(other.replace("localhost", "127.0.0.1"), headers={"Authorization": "KEY"})
    assert ["authorization" in headers for headers in api.headers] == [True, False]
    monkeypatch.delenv("KEY")
    with pytest.raises(ConfigError, match="KEY is not set"):
        list_all(other, headers={"Authorization": "KEY"})


def test_signed_assets_are_opened_and_unsigned_ones_refused(
    api: ApiServer, list_all: List, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_band(tmp_path / "x.tif", 100)
    api.folder, api.token = str(tmp_path), "sig=secret"
    offer(api, "a")
    (plain,) = list_all(api.address).scenes
    with pytest.raises(UnavailableError):
        open_scene(plain)
    monkeypatch.setenv("SAS", "?sig=secret")
    (scene,) = list_all(api.address, sign={f"{api.address}/files/": "SAS"}).scenes
    with open_scene(scene) as reader:
        assert reader.info.bands == ("red",)
    (other,) = list_all(api.address, sign={f"{api.address}/others/": "SAS"}).scenes
    assert "secret" not in other.files[""]


def test_an_api_that_signs_its_items_is_asked_in_full_and_nothing_is_kept(
    api: ApiServer, list_all: List, tmp_path: Path
) -> None:
    offer(api, "a")["assets"]["B04"]["href"] += "?sig=secret"
    list_all(api.address, root=tmp_path)
    assert not list(tmp_path.rglob("*.json"))
    assert names(list_all(api.address, root=tmp_path)) == ["a"]
