"""From attributes and pixel values to categories: rules, conditions, OpenStreetMap tags, legends."""
