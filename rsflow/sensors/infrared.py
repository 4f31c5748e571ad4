"""Infrared sensors: the heat that the ground emits."""

from rsflow.sensors.contract import Sensor

INFRARED = Sensor(
    picture="infrared remote sensing image",
    adjective="infrared",
    bright="strong thermal emission",
    has_colour=False,
    default_unit="dn",
    clouds="unknown",
    names=r"(?<!near )(?<!wave )infrared|thermal(?: infrared)?",
    physics=r"thermal(?: infrared)? (?:emission|signature|contrast|radiation|hotspot|sensor)s?|heat signatures?|heat"
    r" emissions?|emitted heat|heat (?:from|emitted|radiat)\w*|white hot|black hot|thermal imaging|body heat",
    keywords="infrared thermal heat emitted white black",
)
