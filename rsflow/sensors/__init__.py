"""The kinds of sensor that rsflow knows: one file each, behind one contract (rsflow.sensors.contract).

One idea: a literal table. Everything that differs between sensors hangs on these rows, so that a new sensor is one file and one
row; settings of a source may change what is only a default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rsflow.sensors.contract import PixelUnit, Sensor
from rsflow.sensors.infrared import INFRARED
from rsflow.sensors.optical import OPTICAL
from rsflow.sensors.sar import SAR

__all__ = ["SENSORS", "SENSOR_NAMES", "PixelUnit", "Sensor", "SensorName"]

SENSORS: dict[str, Sensor] = {
    "optical": OPTICAL,
    "sar": SAR,
    "infrared": INFRARED,
}

SENSOR_NAMES: tuple[str, ...] = tuple(SENSORS)

if TYPE_CHECKING:
    SensorName = str  # the table is open; at run time settings are checked against it
else:
    SensorName = Literal[SENSOR_NAMES]
