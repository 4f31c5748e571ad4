"""Scenes from STAC: the items of a catalogue or API, each as one scene whose bands, calibration and time its metadata states.

One idea: a document from a catalogue is untrusted input. What it names is opened below the folder that the user gave
(rsflow.stac.hrefs); what is wrong with one item is a reject of that item alone; a catalogue or API that does not answer is a
fault of the world, and never a source without scenes.

Sources: STAC 1.0 and 1.1 with the extensions eo, raster, projection, sar, sat, view, version and processing
(https://github.com/radiantearth/stac-spec, https://stac-extensions.github.io).
"""
