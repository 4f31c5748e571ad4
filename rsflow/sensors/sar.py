"""Synthetic aperture radar: the strength of its own echo, by day and night and through clouds."""

from rsflow.sensors.contract import Sensor

SAR = Sensor(
    picture="synthetic aperture radar (SAR) image",
    adjective="SAR",
    bright="strong radar backscatter",
    has_colour=False,
    default_unit="amplitude",
    clouds="never",
    names=r"sar|synthetic aperture radar|radar",
    physics=r"backscatter(?:s|ed|ing)?|speckled?s?|radar (?:return|echo|reflect|signal|pulse|shadow)\w*|double bounce|"
    r"microwave|layover",
    keywords="sar synthetic radar backscatter backscattered backscattering backscatters speckle speckled speckles double"
    " microwave layover",
    dn_is_amplitude=True,  # what detected products hold
    zero_is_fill=True,
)
