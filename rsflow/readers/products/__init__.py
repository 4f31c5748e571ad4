"""Products as their makers deliver them: which files are the bands, and what the metadata states about them.

To add one: a module with a Product (rsflow.readers.products.contract), and its row here.
"""

from __future__ import annotations

from rsflow.plugins import PluginTable
from rsflow.readers.products.contract import Decoder, Product, describe_product, list_products
from rsflow.readers.products.landsat import LANDSAT_C2
from rsflow.readers.products.sentinel1 import SENTINEL1_GRD
from rsflow.readers.products.sentinel2 import SENTINEL2_L1C, SENTINEL2_L2A
from rsflow.readers.products.sentinelhub import SENTINELHUB

__all__ = ["PRODUCTS", "Decoder", "Product", "describe_product", "list_products"]

PRODUCTS: PluginTable[Product] = PluginTable(
    "rsflow.products",
    {
        "landsat_c2": LANDSAT_C2,
        "sentinel1_grd": SENTINEL1_GRD,
        "sentinel2_l1c": SENTINEL2_L1C,
        "sentinel2_l2a": SENTINEL2_L2A,
        "sentinelhub": SENTINELHUB,
    },
)
