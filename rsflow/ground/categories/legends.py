"""What the values of public land-cover rasters mean.

Names are those of the makers, in the usual words for land cover. None: no data. "": a class that says nothing of what is
there. Sources: WorldCover product user manual v2.0, table 3; Dynamic World (https://doi.org/10.1038/s41597-022-01307-4); Esri /
Impact Observatory 10 m land cover; NLCD legend of the MRLC; CORINE nomenclature (level 3) by raster value 1 … 44, 48; USDA NASS
Cropland Data Layer metadata.
"""

from __future__ import annotations

Legend = dict[int, str | None]


def _parse(text: str) -> Legend:
    """`value name` pairs, separated by semicolons."""
    pairs = (entry.strip().split(" ", 1) for entry in text.replace("\n", " ").split(";") if entry.strip())
    return {int(value): name.strip() for value, name in pairs}


_WORLDCOVER = _parse("""10 tree cover; 20 shrubland; 30 grassland; 40 cropland; 50 built-up; 60 bare or sparse vegetation;
70 snow and ice; 80 permanent water; 90 herbaceous wetland; 95 mangroves; 100 moss and lichen""")

_DYNAMIC_WORLD = _parse("""0 water; 1 trees; 2 grass; 3 flooded vegetation; 4 crops; 5 shrub and scrub; 6 built-up;
7 bare ground; 8 snow and ice""")

_ESRI = _parse("1 water; 2 trees; 4 flooded vegetation; 5 crops; 7 built-up; 8 bare ground; 9 snow and ice; 11 rangeland")

_TERRAMESH = _parse("""1 water; 2 trees; 3 flooded vegetation; 4 crops; 5 built-up; 6 bare ground; 7 snow and ice;
9 rangeland""")

_NLCD = _parse("""11 open water; 12 perennial ice and snow; 21 developed open space; 22 low intensity development;
23 medium intensity development; 24 high intensity development; 31 barren land; 41 deciduous forest; 42 evergreen forest;
43 mixed forest; 51 dwarf scrub; 52 shrubland; 71 grassland; 72 sedge; 73 lichen; 74 moss; 81 pasture; 82 cultivated crops;
90 woody wetland; 95 herbaceous wetland""")

_CORINE = _parse("""1 continuous urban fabric; 2 discontinuous urban fabric; 3 industrial or commercial land;
4 road and rail networks; 5 port areas; 6 airports; 7 mineral extraction sites; 8 dump sites; 9 construction sites;
10 green urban areas; 11 sport and leisure facilities; 12 non-irrigated arable land; 13 permanently irrigated land;
14 rice fields; 15 vineyards; 16 fruit tree plantations; 17 olive groves; 18 pastures; 19 annual crops with permanent crops;
20 complex cultivation patterns; 21 farmland with natural vegetation; 22 agro-forestry areas; 23 broad-leaved forest;
24 coniferous forest; 25 mixed forest; 26 natural grassland; 27 moors and heathland; 28 sclerophyllous vegetation;
29 transitional woodland; 30 beaches, dunes and sands; 31 bare rock; 32 sparsely vegetated land; 33 burnt land;
34 glaciers and perpetual snow; 35 inland marshes; 36 peat bogs; 37 salt marshes; 38 salines; 39 intertidal flats;
40 water courses; 41 water bodies; 42 coastal lagoons; 43 estuaries; 44 sea and ocean""")

_CDL = _parse("""1 corn; 2 cotton; 3 rice; 4 sorghum; 5 soybeans; 6 sunflowers; 10 peanuts; 11 tobacco; 12 sweet corn;
13 popcorn; 14 mint; 21 barley; 22 durum wheat; 23 spring wheat; 24 winter wheat; 25 other small grains;
26 winter wheat and soybeans; 27 rye; 28 oats; 29 millet; 30 spelt; 31 canola; 32 flaxseed; 33 safflower; 34 rapeseed;
35 mustard; 36 alfalfa; 37 hay; 38 camelina; 39 buckwheat; 41 sugar beets; 42 dry beans; 43 potatoes; 44 other crops;
45 sugarcane; 46 sweet potatoes; 47 vegetables and fruits; 48 watermelons; 49 onions; 50 cucumbers; 51 chickpeas; 52 lentils;
53 peas; 54 tomatoes; 55 caneberries; 56 hops; 57 herbs; 58 clover; 59 sod and grass seed; 60 switchgrass; 61 fallow cropland;
63 forest; 64 shrubland; 65 barren land; 66 cherries; 67 peaches; 68 apples; 69 grapes; 70 Christmas trees; 71 other tree crops;
72 citrus; 74 pecans; 75 almonds; 76 walnuts; 77 pears; 82 developed land; 83 water; 87 wetland; 92 aquaculture; 111 open water;
112 perennial ice and snow; 121 developed open space; 122 low intensity development; 123 medium intensity development;
124 high intensity development; 131 barren land; 141 deciduous forest; 142 evergreen forest; 143 mixed forest; 152 shrubland;
176 grassland and pasture; 190 woody wetland; 195 herbaceous wetland; 204 pistachios; 205 triticale; 206 carrots; 207 asparagus;
208 garlic; 209 cantaloupes; 210 prunes; 211 olives; 212 oranges; 213 honeydew melons; 214 broccoli; 215 avocados; 216 peppers;
217 pomegranates; 218 nectarines; 219 greens; 220 plums; 221 strawberries; 222 squash; 223 apricots; 224 vetch;
225 winter wheat and corn; 226 oats and corn; 227 lettuce; 228 triticale and corn; 229 pumpkins; 230 lettuce and durum wheat;
231 lettuce and cantaloupes; 232 lettuce and cotton; 233 lettuce and barley; 234 durum wheat and sorghum;
235 barley and sorghum;
236 winter wheat and sorghum; 237 barley and corn; 238 winter wheat and cotton; 239 soybeans and cotton; 240 soybeans and oats;
241 corn and soybeans; 242 blueberries; 243 cabbage; 244 cauliflower; 245 celery; 246 radishes; 247 turnips; 248 eggplants;
249 gourds; 250 cranberries; 254 barley and soybeans""")

LEGENDS: dict[str, Legend] = {
    "worldcover": {0: None, **_WORLDCOVER},
    "dynamic_world": {**_DYNAMIC_WORLD, 255: None},
    "esri": {0: None, **_ESRI, 10: None},  # 10: clouds
    "terramesh": {0: None, **_TERRAMESH, 8: None},
    "nlcd": {0: None, **_NLCD, 127: None, 250: None, 255: None},
    "corine": {0: None, **_CORINE, 48: None, 128: None, 255: None},
    "cdl": {0: None, **_CDL, 81: None, 88: ""},
}
