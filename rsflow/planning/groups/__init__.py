"""Groups of tiles of one place: known before a pixel is read, and as samples."""
