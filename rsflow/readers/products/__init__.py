"""Product folders as scenes: which files are its bands, and what its metadata says of them.

To add one: a module with a Product (rsflow.readers.products.contract), and its row here.
"""

from __future__ import annotations

from rsflow.readers.products.contract import Product, product_files, read_product_metadata
from rsflow.readers.products.sentinel2 import SENTINEL2_L1C, SENTINEL2_L2A

__all__ = ["PRODUCTS", "Product", "product_files", "read_product_metadata"]

PRODUCTS: dict[str, Product] = {
    "sentinel2_l1c": SENTINEL2_L1C,
    "sentinel2_l2a": SENTINEL2_L2A,
}
