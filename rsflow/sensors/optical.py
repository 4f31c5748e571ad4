"""Optical sensors: sunlight that the ground reflects, from one visible band to many."""

from rsflow.sensors.contract import Sensor

OPTICAL = Sensor(
    picture="optical remote sensing image",
    adjective="optical",
    bright="strong reflected sunlight",
    has_colour=True,
    default_unit="dn",
    clouds="bright_white",
    names=r"optical|rgb|true colou?r|natural colou?r|panchromatic|multispectral|visible light|visible spectrum|colou?r",
    physics=r"reflected sunlight|sunlit|sunlight reflect\w*|visible spectrum|natural colou?rs?|true colou?rs?",
    keywords="optical rgb true natural colour color panchromatic multispectral visible reflected sunlit sunlight",
)
