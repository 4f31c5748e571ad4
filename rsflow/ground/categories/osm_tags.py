"""Which OpenStreetMap tags are which categories: the table of a rule with `tags: osm`.

One idea: what can be seen from above and has a name that remote sensing uses. Tags are those of the wiki's map features
(https://wiki.openstreetmap.org/wiki/Map_features); the first key of the table that a feature carries decides, so a stadium that
is also a building is a stadium. "*" stands for every other value of its key; the value "no" is none.

"object": countable things; "area": ground whose pieces are not counted; "line": its usual width in metres is given.
"""

from __future__ import annotations

from typing import NamedTuple

from rsflow.ground.layer_settings import FeatureKind


class OsmTag(NamedTuple):
    category: str
    kind: FeatureKind
    width_m: float | None = None


def _objects(**names: str) -> dict[str, OsmTag]:
    return {value: OsmTag(name, "object") for value, name in names.items()}


def _areas(**names: str) -> dict[str, OsmTag]:
    return {value: OsmTag(name, "area") for value, name in names.items()}


def _lines(name: str, **widths: float) -> dict[str, OsmTag]:
    return {value: OsmTag(name, "line", width_m) for value, width_m in widths.items()}


OSM_TAGS: dict[str, dict[str, OsmTag]] = {
    "aeroway": {
        **_objects(aerodrome="airport", helipad="helipad", heliport="heliport", terminal="airport terminal"),
        **_objects(hangar="hangar", apron="airport apron", airstrip="airstrip", spaceport="spaceport"),
        **_lines("runway", runway=45.0),
        **_lines("taxiway", taxiway=20.0),
    },
    "leisure": {
        **_objects(stadium="stadium", swimming_pool="swimming pool", track="running track", marina="marina"),
        **_objects(golf_course="golf course", playground="playground", sports_centre="sports centre", ice_rink="ice rink"),
        **_objects(water_park="water park", miniature_golf="miniature golf course", horse_riding="riding arena"),
        **_objects(bandstand="bandstand", amusement_arcade="amusement arcade", slipway="slipway", dog_park="dog park"),
        "pitch": OsmTag("sports field", "object"),
        **_areas(park="park", garden="garden", nature_reserve="nature reserve", common="common"),
    },
    "power": {
        **_objects(plant="power plant", substation="electrical substation", generator="power generator", tower="power pylon"),
        **_objects(transformer="transformer"),
        **_lines("power line", line=10.0),
    },
    "man_made": {
        **_objects(storage_tank="storage tank", silo="silo", water_tower="water tower", chimney="chimney", tower="tower"),
        **_objects(lighthouse="lighthouse", wastewater_plant="wastewater treatment plant", water_works="waterworks"),
        **_objects(windmill="windmill", gasometer="gas holder", mast="mast", communications_tower="communications tower"),
        **_objects(bridge="bridge", crane="crane", cooling_tower="cooling tower", observatory="observatory"),
        **_objects(petroleum_well="oil well", mineshaft="mine shaft", kiln="kiln", works="factory", bunker_silo="bunker silo"),
        **_objects(
            reservoir_covered="covered reservoir", offshore_platform="offshore platform", satellite_dish="satellite dish"
        ),
        **_lines("pier", pier=5.0),
        **_lines("breakwater", breakwater=10.0),
        **_lines("groyne", groyne=5.0),
        **_lines("embankment", embankment=6.0, dyke=6.0),
        **_lines("pipeline", pipeline=2.0),
    },
    "amenity": {
        **_objects(parking="parking lot", school="school", university="university", college="college", hospital="hospital"),
        **_objects(fuel="petrol station", place_of_worship="place of worship", grave_yard="cemetery", prison="prison"),
        **_objects(fire_station="fire station", police="police station", bus_station="bus station", marketplace="marketplace"),
        **_objects(ferry_terminal="ferry terminal", fountain="fountain", theatre="theatre", townhall="town hall"),
        **_objects(kindergarten="kindergarten", library="library", monastery="monastery", courthouse="courthouse"),
        **_objects(recycling="recycling site", clinic="clinic", boat_storage="boat storage"),
    },
    "historic": _objects(
        castle="castle", fort="fort", ruins="ruins", archaeological_site="archaeological site", city_gate="city gate"
    ),
    "tourism": _objects(zoo="zoo", theme_park="theme park", camp_site="campsite", caravan_site="caravan site", museum="museum"),
    "military": _objects(
        airfield="military airfield", barracks="barracks", bunker="bunker", naval_base="naval base", range="firing range"
    ),
    "railway": {
        **_objects(station="railway station", roundhouse="roundhouse", turntable="railway turntable"),
        **_lines("railway", rail=4.0, light_rail=4.0, narrow_gauge=3.0, preserved=4.0),
        **_lines("tramway", tram=3.0),
        **_lines("disused railway", disused=4.0),
    },
    "waterway": {
        **_objects(dam="dam", weir="weir", lock_gate="lock gate", waterfall="waterfall", dock="dock", boatyard="boatyard"),
        **_areas(riverbank="river"),
        **_lines("river", river=20.0),
        **_lines("stream", stream=2.0),
        **_lines("canal", canal=12.0),
        **_lines("ditch", ditch=1.5, drain=1.5),
    },
    "natural": {
        **_areas(water="water", bay="bay", wetland="wetland", wood="forest", scrub="shrubland", heath="heath"),
        **_areas(grassland="grassland", fell="alpine grassland", tundra="tundra", sand="sand", beach="beach", dune="dunes"),
        **_areas(bare_rock="bare rock", scree="scree", shingle="shingle", mud="mudflat", glacier="glacier", reef="reef"),
        **_areas(shoal="shoal", lava="lava field"),
        **_objects(tree="tree", volcano="volcano", crater="crater", sinkhole="sinkhole", hot_spring="hot spring"),
        **_lines("tree row", tree_row=6.0),
        **_lines("cliff", cliff=4.0),
        **_lines("dyke", earth_bank=4.0),
    },
    "landuse": {
        **_areas(
            residential="residential area", commercial="commercial area", industrial="industrial area", retail="retail area"
        ),
        **_areas(farmland="farmland", farmyard="farmyard", meadow="meadow", orchard="orchard", vineyard="vineyard"),
        **_areas(forest="forest", grass="grass", allotments="allotment gardens", plant_nursery="plant nursery"),
        **_areas(greenhouse_horticulture="greenhouses", salt_pond="salt ponds", aquaculture="aquaculture ponds"),
        **_areas(construction="construction site", brownfield="brownfield", landfill="landfill", quarry="quarry"),
        **_areas(
            military="military area", railway="railway land", port="port", village_green="village green", flowerbed="flower bed"
        ),
        **_areas(recreation_ground="recreation ground", winter_sports="ski area", greenfield="greenfield", garages="garages"),
        **_objects(cemetery="cemetery", basin="basin", reservoir="reservoir", depot="depot", religious="religious site"),
    },
    "highway": {
        **_lines("motorway", motorway=12.0, motorway_link=6.0),
        **_lines("road", trunk=10.0, trunk_link=6.0, primary=9.0, primary_link=6.0, secondary=8.0, secondary_link=6.0),
        **_lines(
            "road", tertiary=7.0, tertiary_link=6.0, unclassified=6.0, residential=6.0, living_street=5.0, service=4.0, road=6.0
        ),
        **_lines("pedestrian street", pedestrian=5.0),
        **_lines("track", track=3.0),
        **_lines("path", path=1.5, footway=1.5, cycleway=2.0, bridleway=2.0, steps=1.5),
        **_lines("race track", raceway=12.0),
        **_lines("bus lane", busway=6.0),
    },
    "aerialway": _lines("cable car", cable_car=4.0, gondola=4.0, chair_lift=4.0, drag_lift=3.0),
    "building": {
        **_objects(house="house", detached="house", semidetached_house="house", bungalow="house", terrace="terraced house"),
        **_objects(apartments="apartment building", industrial="industrial building", warehouse="warehouse", hangar="hangar"),
        **_objects(greenhouse="greenhouse", church="church", mosque="mosque", temple="temple", synagogue="synagogue"),
        **_objects(school="school building", hospital="hospital building", hotel="hotel", office="office building"),
        **_objects(retail="shop building", commercial="commercial building", barn="barn", farm="farmhouse", shed="shed"),
        **_objects(garage="garage", garages="garage", silo="silo", storage_tank="storage tank", stadium="stadium"),
        **_objects(train_station="railway station", parking="multi-storey car park"),
        "*": OsmTag("building", "object"),
    },
    "barrier": {
        **_lines("wall", wall=1.0, city_wall=3.0, retaining_wall=1.0),
        **_lines("hedge", hedge=2.0),
        **_lines("fence", fence=0.5),
    },
}
