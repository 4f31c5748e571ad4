"""The texts of benchmarks/checks.py: sentences as people and models write them, with slots that the facts of a tile fill.

One idea: each row is a kind of claim, a style, and a sentence. The same sentence is true or untrue by what is put into its
slots. Rows marked `held` are the last batch that was written before anybody had seen how the checks treat it; their figures
are told apart. Nothing here is taken from the patterns of the checks.

Slots: {n} a number in words or digits, {d} in digits; {one} {many} {a_one} a noun, {Many} with a capital; {subj} {Subj} one
object ("the ship", "the largest ship"); {at} "in the upper left", {place} "upper left"; {a} {b} two kinds with "the", {be}
is or are, {way} "to the left of"; {l} {w} metres; {p} percent; {cover} {Cover} a land cover; {colour}; {tone} dark or
bright; {sensor} "SAR"; {missing} what is not there. The kind `true` is true as it stands, and never spoiled.
"""

from __future__ import annotations

from typing import NamedTuple


class Template(NamedTuple):
    kind: str
    text: str
    held: bool


_SEEN = {
    "count": """
        The image showcases {n} {many}.
        A total of {d} {many} can be identified in the scene.
        {N} {many} are visible across the frame.
        Notably, {n} {many} are scattered throughout the area.
        One can count {d} {many} here.
        There appear to be {n} {many} in view.
        The number of {many} is {d}.
        {Many}: {d}.
        In this view we find exactly {n} {many}, spread over the ground.
        {N} {many} in total.
        At least {n} {many} are present, and no more than that.
        This high-resolution image depicts a scene with {n} {many}.
        Looking closely, one makes out {n} {many} in this picture.
        The scene is populated by {n} {many}.
        Altogether there are {d} {many}.
        What stands out are the {n} {many} distributed over the scene.
        It contains {many} ({d} in all).
        The count of {many} comes to {d}.
        Spread across the tile are {n} {many}.
        We see {n} distinct {many}.
        {Many}, {n} of them, occupy the view.
        The aerial view captures a set of {d} {many}.
        From this vantage point, {n} {many} come into view.
        With {n} {many} on display, the site seems busy.
        Upon closer inspection, the image presents {n} {many} against a plain background.
        In terms of objects, there are {d} {many} to note.
        Our tally of {many} in this scene stands at {d}.
        The observer can distinguish {n} {many} within the frame.
        {N} {many} dot the landscape.
        The most striking feature is the group of {n} {many}.
        All in all, {n} {many} show up in the picture.
        This satellite view, taken from directly overhead, includes {n} {many} and some open ground.
        I count {d} {many}.
        {Many} ×{d}.
        The scene, which is fairly open, has {n} {many} in it.
        {D} {many} were captured in this shot.
        You can see {n} {many} spread out across the terrain.
        The composition is anchored by {n} {many}, all plainly visible.
        Among the recognisable features one finds {n} {many}.
        A quick tally gives {d} {many}.
        Seen from overhead are {d} {many} in different spots.
        The number of visible {many} amounts to {d}.
        This tile holds a small collection of {n} {many}.
        Of note are the {n} {many} that lie in the open.
        {N} {many} make up the main objects of the image.
        Detected objects comprise {d} {many}.
        Across the scene, {n} separate {many} are discernible.
        The photograph, though simple, captures {n} {many}.
        Depicted here is an open site where {n} {many} are on view.
        Overall, the scene consists of {n} {many} and plain ground.
        On inspection, {d} {many} emerge from the background.
        An interesting aspect is that {n} {many} share this space.
        In total, {n} {many} can be made out.
        There are {d} {many} altogether, each easy to tell apart.
        The main elements are {n} {many}.
        {N} of the objects are {many}.
        A set of {n} {many} characterises the scene.
        This remote sensing image features {n} {many}, set in open ground.""",
    "lone": """
        Only a single {one} is visible.
        There is just one {one} in the image.
        A lone {one} is captured in this tile.
        Exactly one {one} appears in the scene.
        The picture holds a solitary {one}.
        The scene is empty but for one {one}.
        There is one and only one {one} here.
        Nothing but a single {one} stands out.
        A solitary {one} breaks up the open ground.
        The image contains one {one} only.
        Just a single {one} can be discerned.
        The only {one} in view draws attention.""",
    "vague": """
        The image contains numerous {many}.
        Many {many} crowd the scene.
        A large number of {many} fill the picture.
        Dozens of {many} occupy the area.
        The area is packed with dozens of {many}.
        A great many {many} are scattered about.
        Scores of {many} line the scene.
        The view is crowded with a multitude of {many}.
        The scene is filled with countless {many}.""",
    "several": """
        Several {many} are spread over the scene.
        A handful of {many} dot the view.
        We can observe several {many}.
        The view takes in several {many} at once.
        Multiple {many} share the scene.
        A few {many} are spread through the image.
        Various {many} are on view.
        There are several {many} to be seen.
        A small number of {many} appear here and there: a handful of {many}, to be exact.""",
    "more": """
        There are more {many} than {others} in the scene.
        {Many} outnumber {others} in this view.
        The picture has more {many} than {others}.
        There are fewer {others} than {many}.
        {Many} are more numerous than {others} here.
        Compared with {others}, there are more {many}.
        The {many} exceed the {others} in number.
        The scene contains more {many} than it does {others}.
        {Many} are more common than {others}.""",
    "named": """
        The scene features {many} and their surroundings.
        {A_one} can be seen.
        The presence of {many} is evident.
        Visible objects include {many}.
        The overhead view shows an open area with {many}.
        There is at least one {one}.
        Among the objects are {many}.
        Some {many} are noticeable.
        We also observe {a_one}.
        The picture reveals {many} on the ground.
        {Many} can be spotted in the view.
        The layout includes {many}.
        Key elements: {many}.
        Interspersed throughout are {many}.
        Objects of interest: {many}.
        A closer look brings out {a_one}.
        Also present in the scene: {many}.
        The eye is drawn to the {many} in the view.
        On the ground, {many} are clearly recognisable.
        This overhead photograph captures {many} amid open terrain.
        {Many} form part of the scenery.
        Prominent in the view is {a_one}.
        The snapshot documents {many} in an open setting.
        There exist {many} within this area.
        {Many} stand out against the ground.
        The terrain is shared by {many} and open space.
        The most interesting part of the image is {a_one}.
        Additionally, {many} are evident.
        The overhead perspective makes {many} visible.
        There, in the open, is {a_one}.
        What one sees are {many}.
        The site hosts {many}.
        Elements such as open ground and {many} are discernible.""",
    "absent": """
        No {many} are visible.
        There are no {many} in the image.
        The scene does not contain any {many}.
        {Many} are absent from the view.
        Without any {many}, the area looks quiet.
        The image is devoid of {many}.
        There are zero {many} in this picture.
        Not a single {one} can be found.
        {Many} are nowhere to be seen.
        The frame lacks {many}.
        We do not see any {many} here.
        There isn't a single {one} in sight.
        There is no sign of {many} in this tile.
        The area is free from {many}.
        None of the objects is {a_one}.
        As for {many}, there are none.
        {Many}: none.
        Nowhere in the picture do {many} appear.
        The picture is without {many}.
        One looks in vain for {many}.
        {Many} do not appear in this scene.
        The scene is notable for its absence of {many}.
        I could not find a single {one} in the view.
        There were no {many} to be found.
        {Many} are not part of the scene.
        Zero {many} were observed.
        {Many} cannot be found in this view.
        The image shows neither {many} nor any trace of them.
        No {one} is in sight.
        It is a scene without {many} of any sort.
        Hardly surprising, the view has no {many}.
        The complete lack of {many} is notable.
        One would look for {many} here without success.
        Interestingly, there are no {many}.
        The image does not include {many}.
        The lack of {many} is striking.
        It can be noted that {many} are missing.
        At no point does one come across {many}.
        There seem to be no {many} around.""",
    "place": """
        {Subj} is located {at} of the image.
        {Subj} sits {at}.
        {Subj} can be found near the {place} of the scene.
        {Subj} appears {at} of the frame.
        The {place} part of the picture holds {subj}.
        {Subj} is positioned {at}, clearly separated from its surroundings.
        {Subj} occupies the {place} of the view.
        Positioned {at}, {subj} stands out.
        {Subj} is situated towards the {place} of the picture.
        You will find {subj} {at} of this tile.
        It is {at} that {subj} is to be found.
        Toward the {place} of the image lies {subj}.
        The {place} of the image is home to {subj}.
        {Subj}: {place}.
        In the {place} of the image one finds {subj}.
        {Subj} lies close to the {place} of the frame.
        If you look {at}, you will notice {subj}.
        {At} of the view is where {subj} can be seen.
        The position of {subj} is {place}.
        {Subj} is visible {at} of the image, apart from everything else.
        {Subj} takes up a spot {at}.
        {Subj} rests {at} of the composition.
        The viewer's eye goes to {subj} {at} of the frame.
        Notice {subj} {at}.
        {Subj} dominates the {place} of the image.
        Tucked away {at}, {subj} is easy to overlook.
        As for {subj}, it is {at}.
        One sees {subj} close to the {place} edge of the picture.
        {Subj} has been placed {at} of the image.
        Focusing on {subj}, we find it {at}.
        The area {at} includes {subj}.
        {Subj} is to be seen {at} of the picture.
        {Subj} lies towards the {place}.
        Situated {at} is {subj}.""",
    "relation": """
        {A} {be} {way} {b}.
        {A} {be} positioned {way} {b} in the image.
        In the scene, {a} {be} clearly {way} {b}.
        We can see that {a} {be} {way} {b}.
        {A} {be} situated directly {way} {b}.
        Relative to {b}, {a} {be} {short}.
        {A} can be found {way} {b}.
        In terms of layout, {a} {be} located somewhat {way} {b}.
        To the naked eye, {a} {be} plainly {way} {b}.
        {A} {be} to be found {way} {b}.
        Spatially, {a} {be} arranged {way} {b}.
        {Way}, there {be} {a_bare}.
        {A} {be} lying {way} {b}.
        Looking at the arrangement, {a} {be} {way} {b}.
        {A}, seen from above, {be} placed {way} {b}.
        When compared with {b}, {a} {be} {short}.
        {A} {be} seen {way} {b}.
        Compared to {b}, {a} {be} {short}.
        {A} {be} clearly positioned {way} {b}, with a gap between.""",
    "size": """
        {Subj} measures about {l} m by {w} m.
        {Subj} is roughly {l} metres long.
        {Subj} spans around {l} x {w} m on the ground.
        {Subj} has dimensions of {l} m × {w} m.
        {Subj}, about {l} meters in length, is easy to spot.
        {Subj} stretches for some {l} metres.
        {Subj} is an estimated {l} m long and {w} m wide.
        The length of {subj} is about {l} m.
        {Subj} extends over roughly {l} m by {w} m.
        In size, {subj} comes to around {l} m × {w} m.
        Measuring about {l} m in length, {subj} is plain to see.
        {Subj} has a length of around {l} m.
        With its {l} m by {w} m, {subj} is not hard to find.
        On the ground, {subj} takes up about {l} m × {w} m.
        {Subj} is {l} m in length.
        {Subj} reaches about {l} m in length and {w} m in width.
        {Subj} covers a footprint of about {l} m by {w} m.
        The {l} m long extent of {subj} is notable.""",
    "pixel": """
        The ground resolution is about {g} m.
        The image has a spatial resolution of {g} m per pixel.
        Each pixel corresponds to {g} m on the ground.
        At a ground sampling distance of {g} metres, many details are visible.
        Given the {g} m pixel size, fine detail varies.
        One pixel covers about {g} metres.
        At {g} m per pixel, the scene is moderately detailed.
        The imagery has a ground sample distance of {g} m.
        With a resolution of {g} m, the image shows the site well.
        Each pixel represents roughly {g} m on the ground.""",
    "share": """
        About {p}% of the image is {cover}.
        {Cover} covers roughly {p} % of the scene.
        Around {p} percent of the area is taken up by {cover}.
        {Cover} accounts for {p}% of the view.
        {Cover} makes up approximately {p}% of the view.
        Roughly {p} percent of what is shown is {cover}.
        {Cover} ({p} %) is part of the scene.
        With {p}% of the surface, {cover} takes its place.
        The share of {cover} is close to {p}%.
        {p}% of the frame consists of {cover}.
        Approximately {p} % of the land cover is {cover}.
        {Cover} occupies about {p} percent of the total area.
        {Cover}: ca. {p}%.
        In terms of land cover, {cover} takes about {p}%.
        Some {p} percent of the picture belongs to {cover}.
        {Cover} constitutes {p}% of the scene.
        An estimated {p}% of the ground is under {cover}.
        {Cover} fills around {p}% of the frame.
        Close to {p}% of the scene is classified as {cover}.
        {Cover} is spread over {p}% of the image.
        Of the whole area, {p} percent is {cover}.""",
    "mostly": """
        The area is mostly covered by {cover}.
        {Cover} dominates the scene.
        The landscape is dominated by {cover}.
        {Cover} is the prevailing land cover.
        For the most part, the ground is {cover}.
        The primary land cover is {cover}.
        Most of the image shows {cover}.
        {Cover} makes up the bulk of the scene.
        The majority of the view consists of {cover}.
        The view is largely {cover}.
        It is {cover} that covers most of the ground.
        {Cover} prevails throughout.
        {Cover} is the main land cover.
        Predominantly, the scene is {cover}.""",
    "no_cover": """
        There is no {cover} in the image.
        No {cover} can be seen.
        {Cover} is absent here.
        The scene lacks {cover}.
        {Cover} cannot be seen anywhere.
        There isn't any {cover} in view.
        One sees no {cover} at all.
        The area has no {cover} to speak of.
        {Cover} does not appear in the picture.
        The image is free of {cover}.""",
    "hue": """
        The fields appear {hue} in the light.
        A {hue} patch is visible next to the path.
        Several {hue} roofs stand out.
        The surface has a {hue} hue.
        Lush {hue} patches surround the site.
        The {hue} ground contrasts with its surroundings.
        Everything is bathed in {hue} tones.
        Its {hue} colouring is distinctive.
        Next to the path, the ground turns {hue}.
        The whole place looks {hue}.
        Shades of {hue} run through the scene.
        A {hue} strip runs along the path.
        The ground is {hue} with some variation.""",
    "colour": """
        The image is mainly {colour}.
        Overall, the scene is dominated by {colour} tones.
        {Colour} tones dominate the picture.
        The dominant hue is {colour}.
        In terms of colour, the picture is predominantly {colour}.
        {Colour} is the predominant colour of the scene.
        The overall colour impression is {colour}.
        The prevailing colour is {colour}.
        The picture as a whole is mostly {colour}.
        Mostly {colour} in tone, the image is calm.
        The colour palette is dominated by {colour}.""",
    "sensor": """
        This {sensor} image shows the area from above.
        The {sensor} picture was taken over open ground.
        Captured by {a_sensor} sensor, the scene shows open ground.
        In this piece of {sensor} imagery, the ground is flat.
        The view, {a_sensor} image, covers a flat area.
        What we have here is {a_sensor} image of open ground.
        Seen through {sensor} imagery, the ground looks flat.
        The data come from {a_sensor} sensor.
        This is a typical {sensor} scene of open ground.
        Acquired by {a_sensor} instrument, the picture shows flat ground.
        {A_sensor} image of open ground is given.""",
    "tone": """
        The image is {tone} overall.
        Overall, the scene appears {tone}.
        On the whole, the picture looks rather {tone}.
        This is a {tone} image with little contrast.
        The overall brightness of the image is {tone}.
        It is a {tone} scene.
        Taken as a whole, the image is fairly {tone}.
        The image as a whole is rather {tone}.
        The picture appears {tone}.
        It is an overall {tone} image.""",
    "end": """
        The image is brightest {at}.
        The brightest area lies {at}.
        The brightest part of the image is found {at}.
        The highest brightness occurs {at} of the picture.
        Brightness peaks {at}.
        The scene is at its brightest {at}.
        The brightest spot can be found {at}.
        The {place} of the image is the brightest.
        The part of the image that is brightest lies {at}.
        Bright pixels concentrate {at}, where the scene is brightest.""",
    "true": """
        {Missing} would be easy to spot from above if there were any.
        An area like this may well attract {missing} in the future.
        Whether {missing} visit the place cannot be told from one image.
        Open ground of this kind is suitable for {missing}.
        Unlike scenes with many {missing}, this one is quiet.
        At least one of the {many} catches the eye.
        Two shadows fall next to the {many}.
        The {many} do not overlap each other.
        None of the {many} seems to be moving.
        If one more {one} arrived, there would be {next} of them.
        The ground near the {many} is neither left bare nor built over.
        The path turns right and then left before it ends.
        No other {many} are visible beyond those described.
        Most viewers would first notice the {many}, then the ground around them.
        The {one} stands for a kind of object that is often found with {missing}.
        The scene is free of clutter, so that the {many} stand out.
        There used to be {missing} here, or so the story goes.
        A planner could add {missing} without much effort.
        Some say that {missing} belong in such a place.
        Had there been {missing}, the ground would look different.
        The {many} look smaller than {missing} would.
        Two of the {many} lie closer together than the others.
        It takes more than {many} to make a town.
        The gap between two neighbouring {many} is wide.
        No two {many} look alike.
        The first {one} and the last one differ little.
        Imagery like this helps to monitor {missing} in other regions.
        The space next to each {one} is left empty.
        From here, one cannot see where the {many} came from.
        Not all of the {many} face the same way.
        With every {one}, the pattern repeats.
        Pilots may recall {missing} from other flights.
        {Missing} belong to another kind of scene.
        The question of {missing} does not arise.
        A neighbouring tile could hold {missing}.
        It is known for {missing}, but none are in the frame.
        Some of the {many} are close to the edge.
        Each of the {many} throws a short shadow.
        A pair of {many} is closer to the path than the rest.
        Fewer than half of the {many} are in the shade.
        {Many} like these are common in the region.
        In a map, {missing} would be drawn as symbols.
        Those looking for {missing} have to go elsewhere.""",
}

_HELD = {
    "count": """
        The image captures a total of {d} {many}, arranged without a clear pattern.
        Visible in this overhead shot are {n} {many}.
        The picture is marked by the presence of {n} {many}.
        There are {n} clearly visible {many} here.
        Of the features in the scene, {d} are {many}.
        {N} {many} can be counted on the open ground.
        One notices a cluster of exactly {n} {many}.
        All told, the view has {d} {many}.
        The site accommodates {n} {many} at the time of capture.
        A look at the ground shows us {n} {many}.
        {Many} visible: {d}.""",
    "lone": """
        A single {one} is all there is.
        One lonely {one} is in the frame; there is just one {one}.""",
    "vague": """
        The site is dotted with numerous {many}.
        There are a great number of {many}, dozens of {many} in fact.""",
    "several": """
        In the scene, there are several {many}.
        The picture features a few {many}.""",
    "more": """
        In this picture, {many} outnumber {others}.
        The number of {many} is larger than that of {others}.""",
    "named": """
        In addition, the image includes {many}.
        We can identify {many} in the picture.
        {A_one} is present in the image.
        Features such as {many} are apparent.
        The image reveals the presence of {many}.
        Furthermore, there are {many} to be observed.
        Different objects, including {many}, occupy the ground.""",
    "absent": """
        There are no visible {many} in this area.
        {Many} were not detected in the scene.
        The image appears to contain no {many}.
        Neither the centre nor the edges show any {many}.
        No evidence of {many} can be found.
        There is a complete absence of {many}.
        The photograph shows open ground without {many}.""",
    "place": """
        {Subj} is situated {at} of the image.
        {At} of the image, {subj} is visible.
        {Subj} can be observed {at} of the scene.
        In the {place} portion of the image, there is {subj}.
        {Subj} is found in the {place} area.
        The image shows {subj} {at}.""",
    "relation": """
        {A} {be} located {way} {b}, and both are easy to see.
        {A} {be} visible {way} {b}.
        One can see {a} {way} {b}.""",
    "size": """
        {Subj} is approximately {l} meters long and {w} meters wide.
        {Subj} appears to be about {l} m in length.
        {Subj} (about {l} m by {w} m) is in plain view.""",
    "pixel": """
        The GSD is {g} m.
        The image, with {g} m resolution, shows the site from above.""",
    "share": """
        The scene is {p}% {cover}.
        {Cover} takes up roughly {p}% of the image area.
        About {p} percent of the image is covered by {cover}.
        {Cover} represents {p}% of the area.""",
    "mostly": """
        The scene is predominantly {cover}.
        The dominant land cover is {cover}.
        {Cover} covers most of the image.""",
    "no_cover": """
        No {cover} is visible in the scene.
        The scene contains no {cover}.""",
    "hue": """
        A {hue} area can be seen.
        The {hue} tones of the ground stand out.""",
    "colour": """
        The dominant color is {colour}.
        The image has a predominantly {colour} tone.""",
    "sensor": """
        The image is {a_sensor} image captured from above.
        In this {sensor} scene, flat ground is shown.""",
    "tone": """
        Overall, the image is relatively {tone}.
        The image looks {tone}.""",
    "end": """
        The brightest region is {at} of the image.
        The {place} part is the brightest.""",
    "true": """
        The absence of traffic suggests that it is early.
        {Missing} are typically found in other settings.
        It is unlikely that {missing} would fit here.
        The arrangement of the {many} suggests careful planning.
        The {many} may belong to the same owner.
        Several shadows fall beside the {many}.
        There is enough space for {missing}.
        At least two of the {many} are close to each other.
        This suggests that no {missing} are needed at the site.
        The scale of the {many} can be judged by comparison with {missing}.
        It would be worth checking for {missing} at another time.
        The other {many} are further away.""",
}

TEMPLATES = [
    Template(kind, line.strip(), held)
    for held, rows in ((False, _SEEN), (True, _HELD))
    for kind, lines in rows.items()
    for line in lines.strip().splitlines()
]

# Whole sentences that are wrong wherever they stand, beside one each that is not: check, wrong, right, held.
PHRASES = [
    (
        "refusal",
        "I'm sorry, but I cannot determine what the image shows.",
        "It cannot be determined what lies beyond the edge.",
        False,
    ),
    ("refusal", "As an AI language model, I do not see pictures.", "The view gives no hint at the season.", False),
    ("refusal", "I am unable to view the image you sent.", "The view is limited to open ground.", False),
    ("refusal", "I can't help with that request.", "The contrast helps to tell the surfaces apart.", False),
    (
        "refusal",
        "Unfortunately, I don't have the ability to look at images.",
        "Unfortunately, the shadows hide some detail.",
        False,
    ),
    ("refusal", "I apologize, but no picture was attached to your message.", "No path crosses the open ground.", False),
    ("refusal", "My capabilities do not extend to image analysis.", "The resolution does not extend to fine detail.", False),
    ("refusal", "As a text-based assistant, I cannot comment on this.", "As a whole, the site looks orderly.", False),
    ("leakage", "According to the labels, the ground is flat.", "According to its texture, the ground is flat.", False),
    ("leakage", "An object lies at (123, 456).", "An open space lies in between.", False),
    ("leakage", "Its bounding box is [12, 40, 88, 97].", "Its outline is clear.", False),
    ("leakage", "Based on the provided annotations, the site is calm.", "Based on its look, the site is calm.", False),
    ("leakage", "The given metadata indicates a flat area.", "The even tone indicates a flat area.", False),
    ("leakage", "As listed in the ground truth, the area is open.", "As far as one sees, the area is open.", False),
    ("leakage", "It spans from x=120 to x=310 in the frame.", "It spans a good part of the frame.", False),
    ("leakage", "The facts you supplied mention an open area.", "The surroundings form an open area.", False),
    ("leakage", "The detection has a confidence score of 0.87.", "The contrast between the surfaces is strong.", False),
    ("leakage", "The annotated data lists an open area.", "The view takes in an open area.", False),
    ("leakage", "At pixel coordinates 240, 310 there is a bright spot.", "A bright spot catches the eye.", False),
    ("language", "Das Bild zeigt eine offene Fläche mit einem Weg.", "The picture shows open ground with a path.", False),
    ("language", "这张图像显示了一片开阔的地面。", "The naïve eye sees a façade beside the path.", False),
    ("language", "L'image montre un terrain dégagé avec un chemin.", "The site has a certain je ne sais quoi.", False),
    ("language", "La imagen muestra una zona abierta con un camino.", "The plaza lies in the open, as in La Paz.", False),
    ("language", "На изображении видна открытая местность.", "The angle α between the paths is small.", False),
    ("language", "Het beeld toont een open gebied met een pad.", "The path bends near the open ground.", False),
    (
        "repetition",
        "The ground is flat. The ground is flat. The ground is flat.",
        "The ground is flat. The path is straight.",
        False,
    ),
    ("repetition", "A path leads on and on and on and on and on and on.", "A path leads on and on.", False),
    ("repetition", "The area is open, flat, open, flat, open, flat, open, flat.", "The area is open, flat and even.", False),
    (
        "refusal",
        "Sorry, the image could not be loaded, so I have nothing to describe.",
        "The haze, sorry sight, hides nothing.",
        False,
    ),
    ("refusal", "I'm not able to provide a description of this picture.", "One is not able to see beyond the edge.", False),
    ("refusal", "Being an AI, I have no eyes to look at this.", "Being open, the ground has no shade to offer.", False),
    ("leakage", "Bounding box coordinates are omitted here.", "Details are omitted here.", False),
    ("leakage", "The object spans (0.12, 0.33, 0.45, 0.58) in normalised units.", "The object spans a few metres.", False),
    ("leakage", "From the information given, the area is open.", "From the air, the area is open.", False),
    ("leakage", "Per the JSON, the ground is flat.", "Per hectare, the ground is cheap.", False),
    ("leakage", "The list of detected objects includes open ground.", "The number of paths is small.", False),
    ("language", "Na zdjęciu widać otwarty teren i ścieżkę.", "The Łódź road is not in view.", False),
    ("language", "A imagem mostra uma área aberta com um caminho.", "A view of São Paulo would be busier.", False),
    ("language", "صورة تظهر أرضا مفتوحة.", "The path runs at 45° to the edge.", False),
    (
        "repetition",
        "The path is straight and flat and straight and flat and straight and flat.",
        "The path is straight and flat.",
        False,
    ),
    ("repetition", "Open ground. Open ground. Open ground. Open ground.", "Open ground. Wide view. Straight path.", False),
    ("refusal", "Regrettably, I can't provide a description for this one.", "Regrettably, no street names are shown.", False),
    ("refusal", "This request goes against my guidelines.", "The path goes against the slope.", False),
    ("refusal", "I'm just a language model and cannot view pictures.", "It is just an open field with a path.", False),
    ("refusal", "Could you please share the picture again?", "The paths share one direction.", False),
    ("leakage", "Its corners are 10,20 and 80,90 in pixels.", "Its corners are hard to make out.", False),
    ("leakage", "The annotations confirm that the ground is open.", "The shadows confirm that the ground is open.", False),
    ("leakage", "As stated in the prompt, this is open ground.", "As stated on many maps, this is open ground.", False),
    ("leakage", "The reference data describe an open area.", "The rows describe a gentle curve.", False),
    ("leakage", "My instructions say to mention the path.", "The signs say little about the path.", False),
    ("language", "Bilden visar ett öppet område med en stig.", "The Öresund area is not in view.", False),
    ("language", "L'immagine mostra un'area aperta con un sentiero.", "The piazza is open to all.", False),
    ("language", "画像には開けた土地が写っています。", "The ground rises by about 2° to the edge.", False),
    ("repetition", "Flat ground, flat ground, flat ground, flat ground.", "Flat ground, open ground.", False),
    (
        "repetition",
        "It is an open area. It is an open area. It is an open area. It is an open area.",
        "It is an open area. It is flat.",
        False,
    ),
    (
        "repetition",
        "The ground looks even and the path looks straight from above here. The ground looks even and the path looks"
        " straight from above here.",
        "The ground looks even. The path looks straight from above here.",
        False,
    ),
    (
        "refusal",
        "I must apologise, but describing this image is beyond what I can do.",
        "The path is a must for walkers.",
        False,
    ),
    ("refusal", "I do not have access to the image.", "The site has no access road.", False),
    ("refusal", "We cannot assist with this request.", "We see open ground with a path.", False),
    ("leakage", "The ground truth says open area.", "The ground is open, in truth.", False),
    ("leakage", "Its box is (30, 44, 92, 120).", "Its shape is like a box.", False),
    ("leakage", "Based on the given label list, the area is open.", "Based on what is seen, the area is open.", False),
    ("leakage", "According to the provided data, it is an open area.", "According to the shadows, it is morning.", False),
    ("language", "El terreno es abierto y hay un camino.", "El Paso would be busier than this.", False),
    ("language", "Изображение показывает поле.", "The sign of π is not on the ground.", False),
    ("repetition", "The path and the path and the path and the path cross.", "The path and the road cross.", False),
    ("refusal", "I'm unable to analyze this image at the moment.", "It is unusual to see so little shade.", True),
    ("refusal", "Sorry, I can't assist with that.", "The contrast can assist the eye.", True),
    ("refusal", "I cannot see any image in your message.", "One cannot see beyond the frame.", True),
    ("leakage", "The bounding boxes show an open area.", "The boundaries show an open area.", True),
    ("leakage", "Based on the metadata, the area is open.", "Based on the texture, the area is open.", True),
    ("leakage", "The provided annotations list open ground.", "The rows of stones line open ground.", True),
    ("leakage", "It lies at coordinates [120, 80, 200, 160].", "It lies at the end of the path.", True),
    ("language", "Ce terrain est plat et il y a un chemin dans le champ.", "A chemin de fer would cut it in two.", True),
    ("language", "이 이미지는 평평한 땅을 보여줍니다.", "The slope is under 3° here.", True),
    (
        "repetition",
        "The scene is flat, the scene is flat, the scene is flat, the scene is flat.",
        "The scene is flat and open.",
        True,
    ),
]

# Question, an answer that has the asked form, one that has not, held.
FORMS = [
    (
        "Is the area open? Answer the question using a single word or phrase.",
        "Yes",
        "The area seems to be rather open ground",
        False,
    ),
    (
        "What is the ground like? Answer the question using a single word or phrase.",
        "Flat",
        "The ground is flat. It is also even.",
        False,
    ),
    ("Describe this image in one sentence.", "The ground is open and flat.", "The ground is open. The view is wide.", False),
    ("Is the ground flat? Answer yes or no.", "Yes", "Flat", False),
    ("Is the ground even? Please reply with yes or no.", "No", "Even ground", False),
    ("What lies there? Answer in a single word.", "Ground", "What lies there is a wide and open stretch of ground.", False),
    ("Sum up the scene in a single sentence.", "Open ground lies below.", "Open ground lies below. A path crosses it.", False),
    ("Is it summer? One word only.", "Yes", "It could be summer, judging by the light.", False),
    ("Give a one-sentence summary.", "The ground is open.", "The ground is open. There is a path.", False),
    ("Reply with a single number: how many paths are there?", "2", "There are some paths", False),
    ("Does the ground look wet? Respond with yes or no only.", "No", "It looks dry", False),
    ("Caption the picture using one sentence.", "Open ground with a path.", "Open ground. A path. A view.", False),
    ("What do you see? Use one word.", "Ground", "Open ground and a long straight path that crosses it", False),
    (
        "Describe the scene in no more than 10 words.",
        "Open ground with a path.",
        "There is open ground here and there is also a path on it.",
        False,
    ),
    ("How large is it, as a number?", "12", "Quite large", False),
    (
        "Describe the ground in at most 8 words.",
        "Open and flat ground.",
        "The ground that one sees here is open, flat, even and wide.",
        False,
    ),
    ("Is the ground flat? Please answer with yes or no.", "Yes", "It is flat", False),
    ("Give a single-sentence description.", "The ground is open.", "The ground is open. A path crosses it.", False),
    ("Name the surface in one word.", "Sand", "Something like sand with a few stones and a path in it", False),
    ("Is this a rural scene? Answer with yes or no.", "Yes", "Rural", True),
    ("Describe the picture in one sentence.", "It is open ground.", "It is open. It is ground.", True),
    ("How many paths are there? Answer using a single number.", "1", "There might be some", True),
]
