"""Product folders as scenes: which files are its bands, and what its metadata says of them.

To add one: a module with a Product (rsflow.readers.products.contract), and its row here.
"""

from __future__ import annotations

from rsflow.readers.products.contract import Product, described, product_files
from rsflow.readers.products.sentinel2 import SENTINEL2_L1C, SENTINEL2_L2A

__all__ = ["PRODUCTS", "Product", "described", "product_files"]

PRODUCTS: dict[str, Product] = {
    "sentinel2_l1c": SENTINEL2_L1C,
    "sentinel2_l2a": SENTINEL2_L2A,
}
